// The lightbox: shows one enlarged photo. Arrow keys and swipes move to its neighbors.

import { deletePhoto } from "./delete.js";
import { byId } from "./dom.js";
import { loadMore, renew } from "./feed.js";
import { cardOf, focusOn, largestThumbnail, list, neighborOf, smallestThumbnail } from "./grid.js";

const dialog = byId("lightbox");
const [image, name, status, again, newer, older, trash] = dialog.querySelectorAll("img, h2, p, button");
let photo, touchStart;

async function open(next) {
  photo = next;
  image.alt = name.textContent = photo.filename;
  newer.disabled = !neighborOf(photo.id, -1);
  older.disabled = !neighborOf(photo.id, 1);
  if (!dialog.open) dialog.showModal();
  image.src = smallestThumbnail(photo); // already loaded
  showError("");
  try {
    const large = (await loadLarge(next)) ?? (await loadLarge(await renew(next)));
    if (photo !== next) return;
    if (large) image.src = large;
    else showError("The image could not be loaded.");
  } catch (error) {
    if (photo === next) showError(error.message);
    return;
  }
  const following = neighborOf(next.id, 1);
  if (following) loadLarge(following); // in advance
  else loadMore();
}

// Load the largest thumbnail. Resolves to its URL, or to null if it cannot be loaded.
async function loadLarge(photo) {
  const image = new Image();
  image.src = largestThumbnail(photo);
  return image.decode().then(() => image.src, () => null);
}

function showError(message) {
  status.textContent = message && `Showing a small thumbnail. ${message}`;
  again.hidden = !message;
}

function go(direction) {
  const next = neighborOf(photo.id, direction);
  if (next) open(next);
}

list.addEventListener("click", ({ target }) => {
  const card = target.closest(".open")?.parentElement;
  if (card) open(card.photo);
});

again.onclick = () => open(photo);
newer.onclick = () => go(-1);
older.onclick = () => go(1);
trash.onclick = () => {
  dialog.close();
  deletePhoto(photo);
};
dialog.onclose = () => cardOf(photo) && focusOn(cardOf(photo));
addEventListener("keydown", ({ key }) => {
  if (dialog.open && key === "ArrowLeft") go(-1);
  if (dialog.open && key === "ArrowRight") go(1);
});
dialog.ontouchstart = ({ touches: [touch] }) => (touchStart = touch.clientX);
dialog.ontouchend = ({ changedTouches: [touch] }) => {
  const distance = touch.clientX - touchStart;
  if (Math.abs(distance) > 60) go(-Math.sign(distance));
};
