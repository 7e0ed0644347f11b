// The list of photos from the API: older pages while the user scrolls, and updates of pending photos.

import { call, retry } from "./api.js";
import { byId } from "./dom.js";
import { list, photos, refresh, show, smallestThumbnail } from "./grid.js";

const PAGE_SIZE = 60;
const [MIN_POLL_MS, MAX_POLL_MS] = [1000, 30_000];
const NEVER_UPLOADED_MS = 15 * 60_000; // a photo that is pending for longer was never uploaded

const button = byId("more");
let cursor = "";
let interval, timer, loading;

export const loadMore = () => (loading ??= loadNextPage().finally(() => (loading = null)));

async function loadNextPage() {
  if (cursor === null) return;
  scrolling.unobserve(button);
  const succeeded = await load(async () => {
    ({ next_cursor: cursor } = await fetchPage(cursor));
  }, loadMore);
  if (succeeded) scrolling.observe(button); // loads the next page if the button is still visible
  if (oldestPending()) pollSoon();
}

// Poll for updates, with a growing interval while nothing changes.
export function pollSoon() {
  interval = MIN_POLL_MS;
  pollLater();
}

function pollLater() {
  clearTimeout(timer);
  timer = setTimeout(poll, interval);
  interval = Math.min(interval * 1.6, MAX_POLL_MS);
}

async function poll() {
  if (document.hidden) return; // resumes on visibilitychange
  await load(loadUpdates, pollSoon);
  if (oldestPending()) pollLater();
}

// Load pages until one contains a known photo and reaches back to the oldest pending photo.
async function loadUpdates() {
  const oldest = oldestPending();
  let page = { next_cursor: "" };
  do {
    page = await fetchPage(page.next_cursor);
    if (page.changes) interval = MIN_POLL_MS;
  } while (page.next_cursor && (page.changes === PAGE_SIZE || page.photos.at(-1).created_at > oldest));
}

async function fetchPage(from) {
  const path = `photos?limit=${PAGE_SIZE}${from && `&cursor=${encodeURIComponent(from)}`}`;
  const page = await retry(() => call("GET", path));
  return { ...page, changes: page.photos.filter((photo) => show(photo)).length };
}

const oldestPending = () =>
  photos()
    .filter(({ state, created_at }) => state === "pending" && Date.now() - Date.parse(created_at) < NEVER_UPLOADED_MS)
    .map(({ created_at }) => created_at)
    .sort()[0];

// Run an action that loads photos, and show an error with a button that repeats it. Returns whether it succeeded.
async function load(action, repeat) {
  const message = byId("load-error");
  try {
    await action();
    message.textContent = list.ariaBusy = "";
  } catch (error) {
    message.textContent = error.message + (list.children.length ? " The photos shown may be out of date." : "");
  }
  const succeeded = !message.textContent;
  button.textContent = succeeded ? "Load more" : "Try again";
  button.onclick = succeeded ? loadMore : repeat;
  button.hidden = succeeded && cursor === null;
  refresh();
  return succeeded;
}

const scrolling = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && loadMore(), {
  rootMargin: "600px",
});

document.onvisibilitychange = pollSoon;

// Get the photo with new URLs, because presigned URLs expire.
export async function renew({ id }) {
  const photo = await retry(() => call("GET", `photos/${id}`));
  show(photo);
  return photo;
}

const broken = new Set(); // images whose URL failed
let renewing;
const renewBroken = () => (renewing ??= load(renewImages, renewBroken).finally(() => (renewing = null)));

async function renewImages() {
  for (const image of broken) {
    image.src = smallestThumbnail(await renew(image.closest("li").photo));
    image.renewed = true; // until it loads: each image is renewed once
    broken.delete(image);
  }
}

// Events of images do not bubble, so listen in the capture phase.
list.addEventListener("load", ({ target }) => (target.renewed = false), true);
list.addEventListener(
  "error",
  ({ target }) => {
    if (target.renewed || !target.closest(".ready")) return;
    broken.add(target);
    renewBroken();
  },
  true,
);
