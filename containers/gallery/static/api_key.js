// The API key, which every change needs: asked for once, kept for this tab.

import { Problem } from "./api.js";
import { ask, byId } from "./dom.js";

let asking; // all who need the key wait for one answer

export const knownKey = () => sessionStorage.apiKey;

// Do something with the key; as long as the API refuses the key, ask for another one, and do it then.
export async function withKey(act) {
  for (let wrong = ""; ; wrong = "The API does not accept this key.") {
    const key = knownKey() ?? (await (asking ??= askFor(wrong)));
    try {
      return await act(key);
    } catch (problem) {
      if (problem.code !== "forbidden") throw problem;
      if (knownKey() === key) delete sessionStorage.apiKey;
    }
  }
}

async function askFor(wrong) {
  const input = byId("key-value");
  byId("key-wrong").textContent = wrong;
  input.value = "";
  const given = await ask(byId("key"));
  asking = null;
  if (!given) throw new Problem("This needs the API key.", 403, "forbidden");
  return (sessionStorage.apiKey = input.value.trim());
}
