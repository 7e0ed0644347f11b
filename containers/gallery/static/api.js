// The REST API. A call ends in its answer, or in a Problem whose message is for a person.

import { byId } from "./dom.js";

const LATE_MS = 3000;
const PATIENCE_MS = 15_000;
const PAUSES_MS = [400, 1500, 4000];

let base; // where it is, once that is known

export class Problem extends Error {
  // status: of HTTP; 0 without an answer
  // code: of the API
  constructor(message, status = 0, code) {
    super(message);
    Object.assign(this, { status, code });
    this.mayPass = status === 0 || status === 429 || status >= 500;
  }
}

async function connect(signal) {
  const answer = await fetch("config.json", { signal });
  if (!answer.ok) throw new Problem("The server of this page does not answer.");
  const { api_url } = await answer.json();
  if (!api_url) throw new Problem("This page was deployed without an API.", 404);
  base = api_url.replace(/\/*$/, "/");
}

export async function call(method, path, { key, body, keepalive } = {}) {
  const headers = { ...(body && { "Content-Type": "application/json" }), ...(key && { "X-Api-Key": key }) };
  const timer = setTimeout(() => (byId("late").hidden = false), LATE_MS);
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    if (!base) await connect(signal);
    const answer = await fetch(base + path, { method, headers, body: JSON.stringify(body), keepalive, signal });
    const text = await answer.text();
    const { error } = answer.ok ? {} : JSON.parse(text);
    if (error) throw new Problem(error.message, answer.status, error.code);
    return text && JSON.parse(text);
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (error.name === "TimeoutError") throw new Problem("The API does not answer.");
    throw new Problem(navigator.onLine ? "The API cannot be reached." : "This device is offline.");
  } finally {
    clearTimeout(timer);
    byId("late").hidden = true;
  }
}

// Do what may be done twice: up to three times more while its problem may pass.
export async function patiently(act) {
  for (const pause of PAUSES_MS) {
    try {
      return await act();
    } catch (problem) {
      if (!problem.mayPass) throw problem;
    }
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
  }
  return act();
}
