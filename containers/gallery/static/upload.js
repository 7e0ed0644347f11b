// Uploads: each file has a card from when it is chosen until it is a photo, or given up.

import { call, patiently, Problem } from "./api.js";
import { byId } from "./dom.js";
import { expectNews } from "./feed.js";
import { draw, forget, list, newCard, refresh, show, take } from "./grid.js";
import { knownKey, withKey } from "./api_key.js";
import { notice } from "./notifications.js";

const AT_ONCE = 3;

const queue = [];
const failed = new Set();
let running = 0;
let done = 0; // since there was nothing to do
let closeSummary = () => {};

export function upload(files) {
  const uploads = Array.from(files, (file) => new Upload(file));
  list.prepend(...uploads.map(({ card }) => card));
  enqueue(uploads);
  refresh();
}

function enqueue(uploads) {
  queue.push(...uploads);
  for (const one of uploads) one.tell("waiting …");
  for (let i = 0; i < AT_ONCE; i++) work();
}

async function work() {
  if (running === AT_ONCE || !queue.length) return;
  running++;
  const one = queue.shift();
  count();
  try {
    await one.run();
  } catch (problem) {
    one.tell(problem.status === 400 ? "no photo that we take (50 MiB at most)" : problem.message, problem);
    // No key: nobody wants to be asked once for each.
    if (problem.status === 403) for (const other of queue.splice(0)) other.tell(problem.message, problem);
  }
  running--;
  count();
  work();
}

function count() {
  const left = running + queue.length;
  byId("uploading").textContent = left ? `Uploading ${done + 1} of ${done + left} …` : "";
  if (left) return;
  closeSummary();
  const retry = ["Try again", () => enqueue([...failed])];
  if (failed.size) closeSummary = notice(`Not uploaded: ${failed.size}`, { action: retry });
  else if (done) closeSummary = notice(`Uploaded: ${done}`, { seconds: 6 });
  done = 0;
}

class Upload {
  constructor(file) {
    this.file = file;
    this.card = newCard(file.name);
    this.card.upload = this;
    const [image, bar, again, cancel] = this.card.querySelectorAll("img, progress, .again, .delete");
    Object.assign(this, { bar, again });
    image.src = URL.createObjectURL(file);
    image.onerror = () => image.removeAttribute("src"); // no browser shows all formats
    again.onclick = () => enqueue([this]);
    cancel.onclick = () => this.card.upload && this.giveUp(); // when it is a photo: see delete.js
  }

  tell(reason, problem) {
    if (this.givenUp) return;
    const again = problem && problem.status !== 400;
    failed[again ? "add" : "delete"](this);
    draw(this.card, { state: problem ? "failed" : "upload", filename: this.file.name, reason });
    this.bar.hidden = Boolean(problem);
    this.again.hidden = !again;
  }

  async run() {
    if (this.givenUp) return;
    this.tell("uploading …");
    this.announced ??= await patiently(() => this.announce());
    await patiently(() => this.givenUp || this.send());
    if (this.givenUp) return this.withdraw();
    done++;
    this.card.upload = null;
    this.bar.hidden = true;
    draw(this.card);
    expectNews();
  }

  async announce() {
    const { name, type, size } = this.file;
    const content_type = type || (/\.hei[cf]$/i.test(name) ? "image/heic" : "unknown"); // which few browsers know
    const body = { filename: name.slice(-200), content_type, size };
    const announced = await withKey((key) => call("POST", "photos", { key, body }));
    show(announced.photo, this.card);
    return announced;
  }

  // The file to the bucket. By XMLHttpRequest, as fetch tells no progress.
  send() {
    const { url, fields } = this.announced.upload;
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
        if (!status || status >= 500) return reject(new Problem("the upload broke off."));
        this.withdraw(); // the form has run out
        reject(new Problem(`the bucket refused it (${status}).`, 409));
      };
    });
  }

  withdraw() {
    if (!this.announced) return;
    const { id } = this.announced.photo;
    this.announced = null;
    forget(id);
    call("DELETE", `photos/${id}`, { key: knownKey() }).catch(() => {});
  }

  giveUp() {
    this.givenUp = true;
    take(this.card);
    this.request?.abort();
    failed.delete(this);
    this.withdraw();
  }
}

byId("add").onclick = () => byId("files").click();
byId("files").onchange = ({ target }) => {
  upload(target.files);
  target.value = ""; // the same file may be chosen again
};

// Drag and drop, anywhere on the page.
const offer = (whether) => document.body.classList.toggle("drop", whether);
document.ondragover = (event) => {
  event.preventDefault();
  offer(!document.querySelector("[open]") && event.dataTransfer.types.includes("Files"));
};
document.ondragleave = () => offer(false);
document.ondrop = (event) => {
  event.preventDefault();
  if (document.body.matches(".drop")) upload(event.dataTransfer.files);
  offer(false);
};

// The browser asks before it leaves files behind.
addEventListener("beforeunload", (event) => (running || queue.length || failed.size) && event.preventDefault());
