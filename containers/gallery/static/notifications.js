// What the page has to tell: lines at its lower edge.

import { byId, copyOf, drop } from "./dom.js";

// Show a line. Returns what takes it away.
//   action: the label of its button, and what that does
//   seconds: how long it stays at least; without, until it is closed
//   ended: called when its time is over
export function notice(text, { action: [label, act] = [], seconds, ended } = {}) {
  const line = copyOf("a-notice");
  const [words, button, close] = line.children;
  let timer;
  const wait = () => seconds && (timer = setTimeout(over, seconds * 1000));
  const over = () => (line.matches(":hover, :focus-within") ? wait() : end());
  const away = () => {
    clearTimeout(timer);
    drop(line);
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
  byId("notices").append(line);
  wait();
  return away;
}
