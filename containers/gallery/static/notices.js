// What the page has to tell: lines at its lower edge.

import { byId, copyOf } from "./dom.js";

// Show a line. Returns what takes it away.
//   action: the label of its button, and what that does
//   seconds: how long it stays while nobody points at it; without, until it is closed
//   ended: called when its time is over
export function notice(text, { action: [label, act] = [], seconds, ended } = {}) {
  const line = copyOf("a-notice");
  const [words, button, close] = line.children;
  let timer;
  const stop = () => clearTimeout(timer);
  const goOn = () => {
    stop();
    if (seconds) timer = setTimeout(end, seconds * 1000);
  };
  const away = () => {
    stop();
    line.remove();
  };
  const end = () => {
    away();
    ended?.();
  };
  words.textContent = text;
  button.textContent = label;
  button.hidden = !label;
  button.onclick = () => {
    away();
    act();
  };
  close.onclick = end;
  for (const event of ["pointerenter", "focusin"]) line.addEventListener(event, stop);
  for (const event of ["pointerleave", "focusout"]) line.addEventListener(event, goOn);
  byId("notices").append(line);
  goOn();
  return away;
}
