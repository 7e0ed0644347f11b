// The API key, which every write requires. The page asks for it once and keeps it for this tab.

import { ApiError } from "./api.js";
import { byId, openDialog } from "./dom.js";

let asking; // all actions that need the key wait for one dialog

export const storedKey = () => sessionStorage.apiKey;

// Run an action with the key. If the API rejects the key, ask for another one and repeat the action.
export async function withKey(action) {
  for (let message = ""; ; message = "The API key is not valid.") {
    const key = storedKey() ?? (await (asking ??= ask(message)));
    try {
      return await action(key);
    } catch (error) {
      if (error.code !== "forbidden") throw error;
      if (storedKey() === key) delete sessionStorage.apiKey;
    }
  }
}

async function ask(message) {
  const input = byId("key-value");
  byId("key-invalid").textContent = message;
  input.value = "";
  const confirmed = await openDialog(byId("key"));
  asking = null;
  if (!confirmed) throw new ApiError("An API key is required.", 403, "forbidden");
  return (sessionStorage.apiKey = input.value.trim());
}
