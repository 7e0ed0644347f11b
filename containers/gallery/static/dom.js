// Shorthands for the elements of the page.

export const byId = (id) => document.getElementById(id);

export const copyOf = (template) => byId(template).content.firstElementChild.cloneNode(true);

// Takes a line from its list. The next line gets its focus, or the button that is always there.
export function drop(line) {
  const next = line.nextElementSibling ?? line.previousElementSibling;
  const focused = line.contains(document.activeElement);
  line.remove();
  if (focused) (next?.querySelector("button:enabled") ?? byId("add")).focus();
}

// Opens a dialog. Resolves when it is closed: to whether its form was sent.
export function ask(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => (dialog.onclose = () => resolve(dialog.returnValue === "yes")));
}

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.querySelector(".close").onclick = () => dialog.close();
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // beside what it shows
}
