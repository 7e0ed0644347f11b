// Albums: ordered here, made by AWS Batch page by page, watched until the PDF is there.

import { call, patiently } from "./api.js";
import { ask, byId, copyOf, drop } from "./dom.js";
import { withKey } from "./api_key.js";
import { notice } from "./notifications.js";

const [SOON_MS, LATE_MS] = [1000, 10_000];
const FRESH_MS = 30 * 60_000; // the link to a PDF holds for an hour or less

// Titles by id, kept by this browser: the API lists no albums.
const known = () => JSON.parse(localStorage.albums ?? "{}");
const remember = (id, title) => (localStorage.albums = JSON.stringify({ ...known(), [id]: title }));
const forget = (id) => remember(id, undefined); // which JSON leaves out

export function restore() {
  for (const [id, title] of Object.entries(known())) new Album(id, title).look();
}

byId("album").onclick = async () => {
  const input = byId("album-title");
  input.value = `Photos, ${new Date().toLocaleDateString()}`;
  const answer = ask(byId("new-album"));
  input.select();
  if (await answer) order(input.value);
};

// Not patiently: what is asked for twice is made twice.
async function order(title) {
  try {
    const album = await withKey((key) => call("POST", "albums", { key, body: { title } }));
    remember(album.id, title);
    new Album(album.id, title).draw(album);
  } catch (problem) {
    notice(`${title} is not ordered. ${problem.message}`, { action: ["Try again", () => order(title)] });
  }
}

class Album {
  pause = SOON_MS;

  constructor(id, title) {
    this.id = id;
    this.row = copyOf("an-album");
    const [heading, words, bar, link, again, away] = this.row.children;
    Object.assign(this, { words, bar, link, again });
    heading.textContent = bar.ariaLabel = title;
    away.ariaLabel = `Put ${title} away`;
    away.onclick = () => this.putAway();
    again.onclick = () => {
      this.putAway();
      order(title);
    };
    byId("albums").prepend(this.row);
  }

  async look() {
    try {
      this.draw(await patiently(() => call("GET", `albums/${this.id}`)));
    } catch (problem) {
      if (problem.status === 404) return this.putAway();
      this.words.textContent = `${problem.message} Asking again …`;
      this.lookIn(LATE_MS);
    }
  }

  draw({ state, pages_done, page_count, url, reason }) {
    this.words.textContent = {
      running: `${pages_done} of ${page_count} pages made`,
      ready: `Pages: ${page_count}`,
      failed: `Not made: ${reason}`,
    }[state];
    this.bar.value = pages_done / (page_count + 1); // the last step is to bind them
    this.bar.hidden = state !== "running";
    this.link.href = url;
    this.link.hidden = !url;
    this.again.hidden = state !== "failed";
    this.pause = Math.min(this.pause * 1.3, LATE_MS);
    if (state !== "failed") this.lookIn(url ? FRESH_MS : this.pause);
  }

  lookIn(pause) {
    this.timer = setTimeout(() => this.look(), pause);
  }

  putAway() {
    clearTimeout(this.timer);
    drop(this.row);
    forget(this.id);
  }
}
