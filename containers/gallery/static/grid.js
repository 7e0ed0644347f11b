// The grid of photos, newest first. Each photo has a card, with the photo from the API as `card.photo`.

import { byId, cloneTemplate } from "./dom.js";

export const list = byId("photos");
const cards = new Map(); // by photo id
const deleted = new Set(); // ids that the API may still list for a moment

export const cardOf = (photo) => cards.get(photo.id);
export const photos = () => [...cards.values()].map(({ photo }) => photo);

// `thumbnails` maps sizes to URLs. JavaScript sorts integer keys, so the first value is the smallest thumbnail.
export const smallestThumbnail = ({ thumbnails }) => Object.values(thumbnails)[0];
export const largestThumbnail = ({ thumbnails }) => Object.values(thumbnails).at(-1);

export function newCard(filename) {
  const card = cloneTemplate("photo-template");
  card.title = card.querySelector("img").alt = filename;
  card.querySelector(".delete").ariaLabel = `Delete ${filename}`;
  card.querySelector("progress").ariaLabel = `Upload of ${filename}`;
  return card;
}

// Show a photo or its new state. Returns whether its state changed.
//   card: the card of its upload, if there is one
export function show(photo, card = cards.get(photo.id)) {
  if (deleted.has(photo.id)) return false;
  const changed = card?.photo?.state !== photo.state;
  if (!card) place((card = newCard(photo.filename)), photo);
  if (cards.get(photo.id) !== card) cards.get(photo.id)?.remove();
  cards.set(photo.id, card);
  card.photo = photo;
  if (changed && !card.upload) draw(card);
  refresh();
  return changed;
}

// Remove a card from the page. If it has the focus, move the focus to its neighbor.
export function detach(card) {
  const neighbor = card.nextElementSibling ?? card.previousElementSibling;
  const focused = card.contains(document.activeElement);
  card.remove();
  if (focused) focusOn(neighbor);
  refresh();
}

export function putBack(card) {
  deleted.delete(card.photo.id);
  cards.set(card.photo.id, card);
  place(card, card.photo);
  refresh();
}

// Ignore this photo from now on.
export function forget(id) {
  cards.delete(id);
  deleted.add(id);
}

export const focusOn = (card) => (card?.querySelector("button:enabled") ?? byId("add")).focus();

// Return the next photo that is ready: the older one (direction 1) or the newer one (-1).
export function neighborOf(id, direction) {
  let card = cards.get(id);
  do card = direction > 0 ? card?.nextElementSibling : card?.previousElementSibling;
  while (card && card.photo?.state !== "ready");
  return card?.photo;
}

export function refresh() {
  byId("empty").hidden = list.children.length > 0 || list.ariaBusy;
  byId("album").hidden = !list.querySelector(".ready");
}

export function draw(card, { state, filename, reason = "processing …", thumbnails } = card.photo) {
  const [open, image, status] = card.querySelectorAll(".open, img, .state");
  const ready = state === "ready";
  card.className = state;
  open.disabled = !ready;
  status.ariaLive = ["failed", "rejected"].includes(state) ? "polite" : "off";
  status.textContent = ready ? "" : `${filename}: ${reason}`;
  if (ready) image.src = smallestThumbnail({ thumbnails });
}

function place(card, { created_at }) {
  let before = list.lastElementChild;
  while (before?.photo?.created_at < created_at) before = before.previousElementSibling;
  if (before) before.after(card);
  else list.prepend(card);
}
