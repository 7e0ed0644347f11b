// The large view: one photo, and with arrow keys or a swipe those beside it.

import { byId } from "./dom.js";
import { more, renew } from "./feed.js";
import { beside, cardOf, focusOn, list } from "./grid.js";
import { remove } from "./delete.js";

const dialog = byId("large");
const [image, name, trouble, again, before, after, trash] = dialog.querySelectorAll("img, h2, p, button");
let photo, touched;

async function open(next) {
  photo = next;
  image.alt = name.textContent = photo.filename;
  before.disabled = !beside(photo.id, -1);
  after.disabled = !beside(photo.id, 1);
  if (!dialog.open) dialog.showModal();
  image.src = photo.thumbnails[256]; // is there already
  tell("");
  try {
    const large = (await loaded(next)) ?? (await loaded(await renew(next)));
    if (photo !== next) return;
    if (large) image.src = large;
    else tell("It does not arrive.");
  } catch (problem) {
    if (photo === next) tell(problem.message);
    return;
  }
  loaded(beside(next.id, 1)); // is there when it is asked for
  if (!beside(next.id, 1)) more();
}

// The link to the large thumbnail once that has arrived, or nothing.
async function loaded(photo) {
  const image = new Image();
  image.src = photo?.thumbnails[1024] ?? "";
  return image.decode().then(() => image.src, () => null);
}

function tell(words) {
  trouble.textContent = words && `This is the small thumbnail. ${words}`;
  again.hidden = !words;
}

function go(direction) {
  const next = beside(photo.id, direction);
  if (next) open(next);
}

list.addEventListener("click", ({ target }) => {
  const card = target.closest(".open")?.parentElement;
  if (card) open(card.photo);
});

again.onclick = () => open(photo);
before.onclick = () => go(-1);
after.onclick = () => go(1);
trash.onclick = () => {
  dialog.close();
  remove(photo);
};
dialog.onclose = () => cardOf(photo) && focusOn(cardOf(photo));
addEventListener("keydown", ({ key }) => {
  if (dialog.open && key === "ArrowLeft") go(-1);
  if (dialog.open && key === "ArrowRight") go(1);
});
dialog.ontouchstart = ({ touches: [touch] }) => (touched = touch.clientX);
dialog.ontouchend = ({ changedTouches: [touch] }) => {
  const way = touch.clientX - touched;
  if (Math.abs(way) > 60) go(-Math.sign(way));
};
