// Uploads. A selected file has a card, which becomes the card of its photo after the upload.

import { ApiError, call, retry } from "./api.js";
import { storedKey, withKey } from "./api_key.js";
import { byId } from "./dom.js";
import { pollSoon } from "./feed.js";
import { detach, draw, forget, list, newCard, refresh, show } from "./grid.js";
import { notify } from "./notifications.js";

const PARALLEL = 3;

const queue = [];
const failed = new Set();
let running = 0;
let completed = 0; // since the queue was empty
let closeSummary = () => {};

export function upload(files) {
  const uploads = Array.from(files, (file) => new Upload(file));
  list.prepend(...uploads.map(({ card }) => card));
  enqueue(uploads);
  refresh();
}

function enqueue(uploads) {
  queue.push(...uploads);
  for (const one of uploads) one.showStatus("waiting …");
  for (let i = 0; i < PARALLEL; i++) work();
}

async function work() {
  if (running === PARALLEL || !queue.length) return;
  running++;
  const one = queue.shift();
  showProgress();
  try {
    await one.run();
  } catch (error) {
    const message = error.status === 400 ? "unsupported file type, or larger than 50 MiB" : error.message;
    one.showStatus(message, error);
    // Without a key, fail all files instead of asking for each of them.
    if (error.status === 403) for (const other of queue.splice(0)) other.showStatus(message, error);
  }
  running--;
  showProgress();
  work();
}

function showProgress() {
  const left = running + queue.length;
  byId("uploading").textContent = left ? `Uploading ${completed + 1} of ${completed + left} …` : "";
  if (left) return;
  closeSummary();
  const action = ["Try again", () => enqueue([...failed])];
  if (failed.size) closeSummary = notify(`Failed uploads: ${failed.size}`, { action });
  else if (completed) closeSummary = notify(`Uploaded: ${completed}`, { seconds: 6 });
  completed = 0;
}

class Upload {
  constructor(file) {
    this.file = file;
    this.card = newCard(file.name);
    this.card.upload = this;
    const [image, bar, again, cancel] = this.card.querySelectorAll("img, progress, .again, .delete");
    Object.assign(this, { bar, again });
    image.src = URL.createObjectURL(file);
    image.onerror = () => image.removeAttribute("src"); // the browser does not support the format
    again.onclick = () => enqueue([this]);
    cancel.onclick = () => this.card.upload && this.cancel(); // for a photo, see delete.js
  }

  showStatus(reason, error) {
    if (this.canceled) return;
    const canRetry = error && error.status !== 400;
    failed[canRetry ? "add" : "delete"](this);
    draw(this.card, { state: error ? "failed" : "upload", filename: this.file.name, reason });
    this.bar.hidden = Boolean(error);
    this.again.hidden = !canRetry;
  }

  async run() {
    if (this.canceled) return;
    this.showStatus("uploading …");
    this.registered ??= await retry(() => this.register());
    await retry(() => this.canceled || this.send());
    if (this.canceled) return this.unregister();
    completed++;
    this.card.upload = null;
    this.bar.hidden = true;
    draw(this.card);
    pollSoon();
  }

  async register() {
    const { name, type, size } = this.file;
    const content_type = type || (/\.hei[cf]$/i.test(name) ? "image/heic" : "unknown"); // few browsers know HEIC
    const body = { filename: name.slice(-200), content_type, size };
    const registered = await withKey((key) => call("POST", "photos", { key, body }));
    show(registered.photo, this.card);
    return registered;
  }

  // Send the file to the bucket with XMLHttpRequest, because fetch does not report upload progress.
  send() {
    const { url, fields } = this.registered.upload;
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", this.file);
    const request = (this.request = new XMLHttpRequest());
    request.upload.onprogress = ({ loaded, total }) => (this.bar.value = loaded / total);
    request.timeout = 10 * 60_000;
    request.open("POST", url);
    request.send(form);
    return new Promise((resolve, reject) => {
      request.onloadend = () => {
        const { status } = request;
        if (status >= 200 && status < 300) return resolve();
        if (!status || status >= 500) return reject(new ApiError("The upload was interrupted."));
        this.unregister(); // the form has expired
        reject(new ApiError(`Amazon S3 rejected the upload (${status}).`, 409));
      };
    });
  }

  unregister() {
    if (!this.registered) return;
    const { id } = this.registered.photo;
    this.registered = null;
    forget(id);
    call("DELETE", `photos/${id}`, { key: storedKey() }).catch(() => {});
  }

  cancel() {
    this.canceled = true;
    detach(this.card);
    this.request?.abort();
    failed.delete(this);
    this.unregister();
  }
}

byId("add").onclick = () => byId("files").click();
byId("files").onchange = ({ target }) => {
  upload(target.files);
  target.value = ""; // so that the same file can be selected again
};

// Drag and drop anywhere on the page.
const highlight = (active) => document.body.classList.toggle("drop", active);
document.ondragover = (event) => {
  event.preventDefault();
  highlight(!document.querySelector("[open]") && event.dataTransfer.types.includes("Files"));
};
document.ondragleave = () => highlight(false);
document.ondrop = (event) => {
  event.preventDefault();
  if (document.body.matches(".drop")) upload(event.dataTransfer.files);
  highlight(false);
};

// The browser asks for confirmation before it closes a page with unfinished uploads.
addEventListener("beforeunload", (event) => (running || queue.length || failed.size) && event.preventDefault());
