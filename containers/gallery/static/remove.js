// Deleting: on the page at once, in the service when the time to undo it is over or the page is left.

import { call, patiently } from "./api.js";
import { list, take } from "./grid.js";
import { knownKey, withKey } from "./key.js";
import { notice } from "./notices.js";

const UNDO_SECONDS = 8;

const waiting = new Map(); // by photo id: what takes the notice away

export async function remove(photo) {
  const { id, filename } = photo;
  const failed = (problem) =>
    notice(`${filename} is not deleted. ${problem.message}`, { action: ["Try again", () => remove(photo)] });
  try {
    await withKey((key) => key); // asked for now: when the page is left it is too late
  } catch (problem) {
    return failed(problem);
  }
  const putBack = take(id);
  const undo = () => {
    waiting.delete(id);
    putBack();
  };
  const ended = async () => {
    waiting.delete(id);
    try {
      await withKey((key) => patiently(() => call("DELETE", `photos/${id}`, { key })));
    } catch (problem) {
      if (problem.status === 404) return; // somebody else was faster
      putBack();
      failed(problem);
    }
  };
  waiting.set(id, notice(`${filename} is deleted.`, { action: ["Undo", undo], seconds: UNDO_SECONDS, ended }));
}

list.addEventListener("click", ({ target }) => {
  const card = target.closest(".delete")?.parentElement;
  if (card?.photo && !card.upload) remove(card.photo);
});

addEventListener("pagehide", () => {
  for (const [id, away] of waiting) {
    away();
    call("DELETE", `photos/${id}`, { key: knownKey(), keepalive: true }).catch(() => {});
  }
  waiting.clear();
});
