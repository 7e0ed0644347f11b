// Helpers for elements of the page.

export const byId = (id) => document.getElementById(id);

export const cloneTemplate = (id) => byId(id).content.firstElementChild.cloneNode(true);

// Remove an item from its list. If it has the focus, move the focus to the next item or to the Add photos button.
export function removeItem(item) {
  const next = item.nextElementSibling ?? item.previousElementSibling;
  const focused = item.contains(document.activeElement);
  item.remove();
  if (focused) (next?.querySelector("button:enabled") ?? byId("add")).focus();
}

// Open a dialog. Resolves when it closes, to whether its form was submitted.
export function openDialog(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => (dialog.onclose = () => resolve(dialog.returnValue === "yes")));
}

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.querySelector(".close").onclick = () => dialog.close();
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // on the backdrop
}
