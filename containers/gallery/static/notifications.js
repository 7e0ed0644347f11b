// Notifications at the bottom of the page.

import { byId, cloneTemplate, removeItem } from "./dom.js";

// Show a notification. Returns a function that closes it.
//   action: label and function of its button
//   seconds: minimum time until it closes; by default it stays until the user closes it
//   onEnd: called when its time is over or the user closes it
export function notify(text, { action: [label, act] = [], seconds, onEnd } = {}) {
  const item = cloneTemplate("notification-template");
  const [message, button, dismiss] = item.children;
  let timer;
  const wait = () => seconds && (timer = setTimeout(expire, seconds * 1000));
  const expire = () => (item.matches(":hover, :focus-within") ? wait() : end());
  const close = () => {
    clearTimeout(timer);
    removeItem(item);
  };
  const end = () => {
    close();
    onEnd?.();
  };
  message.textContent = text;
  button.textContent = label;
  button.hidden = !label;
  button.onclick = () => {
    close();
    act();
  };
  dismiss.onclick = end;
  byId("notifications").append(item);
  wait();
  return close;
}
