// Deletion: immediately on the page, and in the service when the undo period ends or the page is closed.

import { call, retry } from "./api.js";
import { withKey } from "./api_key.js";
import { cardOf, detach, focusOn, forget, list, putBack } from "./grid.js";
import { notify } from "./notifications.js";

const UNDO_SECONDS = 8;
const KEYBOARD = matchMedia("(hover: hover)").matches; // devices with a mouse have a keyboard
const SHORTCUT = navigator.platform.startsWith("Mac") ? "⌘Z" : "Ctrl+Z";

const pending = new Map(); // by photo id: functions that end the undo period

export async function deletePhoto(photo) {
  const { id, filename } = photo;
  const fail = (error) =>
    notify(`${filename} could not be deleted. ${error.message}`, { action: ["Try again", () => deletePhoto(photo)] });
  try {
    await withKey((key) => key); // ask now, because a closing page cannot
  } catch (error) {
    return fail(error);
  }
  const card = cardOf(photo);
  detach(card);
  forget(id);
  const undo = () => {
    pending.delete(id);
    putBack(card);
    focusOn(card);
  };
  const commit = async () => {
    pending.delete(id);
    try {
      await withKey((key) => retry(() => call("DELETE", `photos/${id}`, { key, keepalive: true })));
    } catch (error) {
      if (error.status === 404) return; // already deleted
      putBack(card);
      fail(error);
    }
  };
  const text = `${filename} deleted.${KEYBOARD ? ` Press ${SHORTCUT} to undo.` : ""}`;
  const close = notify(text, { action: ["Undo", undo], seconds: UNDO_SECONDS, onEnd: commit });
  pending.set(id, { close, undo, commit });
}

list.addEventListener("click", ({ target }) => {
  const card = target.closest(".delete")?.parentElement;
  if (card?.photo && !card.upload) deletePhoto(card.photo);
});

addEventListener("keydown", ({ key, ctrlKey, metaKey, target }) => {
  const last = [...pending.values()].pop();
  if (last && key === "z" && (ctrlKey || metaKey) && !target.matches("input")) {
    last.close();
    last.undo();
  }
});

addEventListener("pagehide", () => {
  for (const { close, commit } of pending.values()) {
    close();
    commit();
  }
});
