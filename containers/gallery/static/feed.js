// From the API to the page: older photos as one scrolls, and news of those in the works.

import { call, patiently } from "./api.js";
import { byId } from "./dom.js";
import { list, photos, refresh, show } from "./grid.js";

const PAGE = 60;
const [SOON_MS, LATE_MS] = [1000, 30_000];
const GIVEN_UP_MS = 15 * 60_000; // pending for longer: never uploaded

const button = byId("more");
let cursor = "";
let pause, timer, loading;

export const more = () => (loading ??= loadMore().finally(() => (loading = null)));

async function loadMore() {
  if (cursor === null) return;
  sight.unobserve(button);
  const worked = await told(async () => {
    ({ next_cursor: cursor } = await page(cursor));
  }, more);
  if (worked) sight.observe(button); // tells at once if it is still in sight
  if (oldestInTheWorks()) expectNews();
}

// Look soon, then ever more rarely while nothing changes.
export function expectNews() {
  pause = SOON_MS;
  later();
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(look, pause);
  pause = Math.min(pause * 1.6, LATE_MS);
}

async function look() {
  if (document.hidden) return; // until it is seen again, see below
  await told(readNews, expectNews);
  if (oldestInTheWorks()) later();
}

// Page by page, until a page has something known and reaches back to all that is in the works.
async function readNews() {
  const oldest = oldestInTheWorks();
  let found = { next_cursor: "" };
  do {
    found = await page(found.next_cursor);
    if (found.news) pause = SOON_MS;
  } while (found.next_cursor && (found.news === PAGE || found.photos.at(-1).created_at > oldest));
}

async function page(from) {
  const path = `photos?limit=${PAGE}${from && `&cursor=${encodeURIComponent(from)}`}`;
  const found = await patiently(() => call("GET", path));
  return { ...found, news: found.photos.filter((photo) => show(photo)).length };
}

const oldestInTheWorks = () =>
  photos()
    .filter(({ state, created_at }) => state === "pending" && Date.now() - Date.parse(created_at) < GIVEN_UP_MS)
    .map(({ created_at }) => created_at)
    .sort()[0];

// Reads, and says on the page what came of it. Returns whether it worked.
async function told(read, again) {
  const trouble = byId("trouble");
  try {
    await read();
    trouble.textContent = list.ariaBusy = "";
  } catch (problem) {
    trouble.textContent = problem.message + (list.children.length ? " What this page shows may be old." : "");
  }
  const worked = !trouble.textContent;
  button.textContent = worked ? "More photos" : "Try again";
  button.onclick = worked ? more : again;
  button.hidden = worked && cursor === null;
  refresh();
  return worked;
}

const sight = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && more(), { rootMargin: "600px" });

document.onvisibilitychange = expectNews;

// The photo as it is now: its links run out.
export async function renew({ id }) {
  const photo = await patiently(() => call("GET", `photos/${id}`));
  show(photo);
  return photo;
}

const broken = new Set(); // images of thumbnails
let renewing;
const renewThumbnails = () => (renewing ??= told(renewBroken, renewThumbnails).finally(() => (renewing = null)));

async function renewBroken() {
  for (const image of broken) {
    image.src = (await renew(image.closest("li").photo)).thumbnails[256];
    image.renewed = true; // until it arrives: not asked for again and again
    broken.delete(image);
  }
}

// Events of images do not bubble.
list.addEventListener("load", ({ target }) => (target.renewed = false), true);
list.addEventListener(
  "error",
  ({ target }) => {
    if (target.renewed || !target.closest(".ready")) return;
    broken.add(target);
    renewThumbnails();
  },
  true,
);
