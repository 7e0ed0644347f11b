// Deleting: on the page at once, in the service when the time to undo it is over or the page is left.

import { call, patiently } from "./api.js";
import { cardOf, focusOn, forget, list, putBack, take } from "./grid.js";
import { withKey } from "./api_key.js";
import { notice } from "./notifications.js";

const UNDO_SECONDS = 8;
const KEYBOARD = matchMedia("(hover: hover)").matches; // what has a mouse has keys
const KEYS = navigator.platform.startsWith("Mac") ? "⌘Z" : "Ctrl+Z";

const waiting = new Map(); // by photo id: what ends the waiting, this way or that

export async function remove(photo) {
  const { id, filename } = photo;
  const failed = (problem) =>
    notice(`${filename} is not deleted. ${problem.message}`, { action: ["Try again", () => remove(photo)] });
  try {
    await withKey((key) => key); // asked for now: when the page is left it is too late
  } catch (problem) {
    return failed(problem);
  }
  const card = cardOf(photo);
  take(card);
  forget(id);
  const undo = () => {
    waiting.delete(id);
    putBack(card);
    focusOn(card);
  };
  const ended = async () => {
    waiting.delete(id);
    try {
      await withKey((key) => patiently(() => call("DELETE", `photos/${id}`, { key, keepalive: true })));
    } catch (problem) {
      if (problem.status === 404) return; // somebody else was faster
      putBack(card);
      failed(problem);
    }
  };
  const words = `${filename} is deleted.${KEYBOARD ? ` ${KEYS} brings it back.` : ""}`;
  const away = notice(words, { action: ["Undo", undo], seconds: UNDO_SECONDS, ended });
  waiting.set(id, { away, undo, ended });
}

list.addEventListener("click", ({ target }) => {
  const card = target.closest(".delete")?.parentElement;
  if (card?.photo && !card.upload) remove(card.photo);
});

addEventListener("keydown", ({ key, ctrlKey, metaKey, target }) => {
  const last = [...waiting.values()].pop();
  if (last && key === "z" && (ctrlKey || metaKey) && !target.matches("input")) {
    last.away();
    last.undo();
  }
});

addEventListener("pagehide", () => {
  for (const { away, ended } of waiting.values()) {
    away();
    ended();
  }
});
