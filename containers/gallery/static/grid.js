// The photos on the page, newest first: one card each, with what the API says as `card.photo`.

import { byId, copyOf } from "./dom.js";

export const list = byId("photos");
const cards = new Map(); // by photo id
const deleted = new Set(); // ids; the API may still list them for a moment

export const cardOf = (photo) => cards.get(photo.id);
export const photos = () => [...cards.values()].map(({ photo }) => photo);

export function newCard(filename) {
  const card = copyOf("a-photo");
  card.title = card.querySelector("img").alt = filename;
  card.querySelector(".delete").ariaLabel = `Delete ${filename}`;
  card.querySelector("progress").ariaLabel = `Upload of ${filename}`;
  return card;
}

// Show a photo, or what has become of it. Returns whether that is news.
//   card: of its upload, which becomes the photo's
export function show(photo, card = cards.get(photo.id)) {
  if (deleted.has(photo.id)) return false;
  const news = card?.photo?.state !== photo.state;
  if (!card) place((card = newCard(photo.filename)), photo);
  if (cards.get(photo.id) !== card) cards.get(photo.id)?.remove();
  cards.set(photo.id, card);
  card.photo = photo;
  if (news && !card.upload) draw(card);
  refresh();
  return news;
}

// Take a card from the page; the one beside it gets its focus.
export function take(card) {
  const neighbour = card.nextElementSibling ?? card.previousElementSibling;
  const focused = card.contains(document.activeElement);
  card.remove();
  if (focused) focusOn(neighbour);
  refresh();
}

export function putBack(card) {
  deleted.delete(card.photo.id);
  cards.set(card.photo.id, card);
  place(card, card.photo);
  refresh();
}

// No card is for this photo from now on.
export function forget(id) {
  cards.delete(id);
  deleted.add(id);
}

export const focusOn = (card) => (card?.querySelector("button:enabled") ?? byId("add")).focus();

// The next photo that can be looked at, down the list (1) or up (-1).
export function beside(id, direction) {
  let card = cards.get(id);
  do card = direction > 0 ? card?.nextElementSibling : card?.previousElementSibling;
  while (card && card.photo?.state !== "ready");
  return card?.photo;
}

export function refresh() {
  byId("empty").hidden = list.children.length > 0 || list.ariaBusy;
  byId("album").hidden = !list.querySelector(".ready");
}

export function draw(card, { state, filename, reason = "in the works …", thumbnails } = card.photo) {
  const [open, image, words] = card.querySelectorAll(".open, img, .state");
  const ready = state === "ready";
  card.className = state;
  open.disabled = !ready;
  words.ariaLive = ["failed", "rejected"].includes(state) ? "polite" : "off";
  words.textContent = ready ? "" : `${filename}: ${reason}`;
  if (ready) image.src = thumbnails[256];
}

function place(card, { created_at }) {
  let before = list.lastElementChild;
  while (before?.photo?.created_at < created_at) before = before.previousElementSibling;
  if (before) before.after(card);
  else list.prepend(card);
}
