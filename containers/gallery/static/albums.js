// Albums: created here, generated page by page by AWS Batch, and polled until the PDF is ready.

import { call, retry } from "./api.js";
import { withKey } from "./api_key.js";
import { byId, cloneTemplate, openDialog, removeItem } from "./dom.js";
import { notify } from "./notifications.js";

const [MIN_POLL_MS, MAX_POLL_MS] = [1000, 10_000];
const RENEW_MS = 30 * 60_000; // the URL of a PDF expires after an hour or less

// Titles by id, stored in this browser: the API does not list albums.
const stored = () => JSON.parse(localStorage.albums ?? "{}");
const store = (id, title) => (localStorage.albums = JSON.stringify({ ...stored(), [id]: title }));
const forget = (id) => store(id, undefined); // JSON omits it

export function restore() {
  for (const [id, title] of Object.entries(stored())) new Album(id, title).poll();
}

byId("album").onclick = async () => {
  const input = byId("album-title");
  input.value = `Photos, ${new Date().toLocaleDateString()}`;
  const confirmed = openDialog(byId("new-album"));
  input.select();
  if (await confirmed) create(input.value);
};

// Not retried, because a repeated request would create a second album.
async function create(title) {
  try {
    const album = await withKey((key) => call("POST", "albums", { key, body: { title } }));
    store(album.id, title);
    new Album(album.id, title).draw(album);
  } catch (error) {
    notify(`${title} could not be created. ${error.message}`, { action: ["Try again", () => create(title)] });
  }
}

class Album {
  interval = MIN_POLL_MS;

  constructor(id, title) {
    this.id = id;
    this.row = cloneTemplate("album-template");
    const [heading, status, bar, link, again, remove] = this.row.children;
    Object.assign(this, { status, bar, link, again });
    heading.textContent = bar.ariaLabel = title;
    remove.ariaLabel = `Remove ${title} from this list`;
    remove.onclick = () => this.remove();
    again.onclick = () => {
      this.remove();
      create(title);
    };
    byId("albums").prepend(this.row);
  }

  async poll() {
    try {
      this.draw(await retry(() => call("GET", `albums/${this.id}`)));
    } catch (error) {
      if (error.status === 404) return this.remove();
      this.status.textContent = `${error.message} Retrying …`;
      this.pollIn(MAX_POLL_MS);
    }
  }

  draw({ state, pages_done, page_count, url, reason }) {
    this.status.textContent = {
      running: `${pages_done} of ${page_count} pages created`,
      ready: `Pages: ${page_count}`,
      failed: `Failed: ${reason}`,
    }[state];
    this.bar.value = pages_done / (page_count + 1); // the last step combines the pages
    this.bar.hidden = state !== "running";
    this.link.href = url;
    this.link.hidden = !url;
    this.again.hidden = state !== "failed";
    this.interval = Math.min(this.interval * 1.3, MAX_POLL_MS);
    if (state !== "failed") this.pollIn(url ? RENEW_MS : this.interval);
  }

  pollIn(interval) {
    this.timer = setTimeout(() => this.poll(), interval);
  }

  remove() {
    clearTimeout(this.timer);
    removeItem(this.row);
    forget(this.id);
  }
}
