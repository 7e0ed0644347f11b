// The REST API. A call resolves to the body of the response, or rejects with an ApiError.

import { byId } from "./dom.js";

const SLOW_MS = 3000;
const TIMEOUT_MS = 15_000;
const BACKOFF_MS = [400, 1500, 4000];

let base; // URL of the API, once known

export class ApiError extends Error {
  // message: a sentence to display
  // status: HTTP status, or 0 without a response
  // code: error code of the API
  constructor(message, status = 0, code) {
    super(message);
    Object.assign(this, { status, code });
    this.transient = status === 0 || status === 429 || status >= 500;
  }
}

async function connect(signal) {
  const response = await fetch("config.json", { signal });
  if (!response.ok) throw new ApiError("The web server is not available.");
  const { api_url } = await response.json();
  if (!api_url) throw new ApiError("No API is configured for this page.", 404);
  base = api_url.replace(/\/*$/, "/");
}

export async function call(method, path, { key, body, keepalive } = {}) {
  const headers = { ...(body && { "Content-Type": "application/json" }), ...(key && { "X-Api-Key": key }) };
  const timer = setTimeout(() => (byId("slow").hidden = false), SLOW_MS);
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    if (!base) await connect(signal);
    const response = await fetch(base + path, { method, headers, body: JSON.stringify(body), keepalive, signal });
    const text = await response.text();
    const { error } = response.ok ? {} : JSON.parse(text);
    if (error) throw new ApiError(error.message, response.status, error.code);
    return text && JSON.parse(text);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (error.name === "TimeoutError") throw new ApiError("The API does not respond.");
    throw new ApiError(navigator.onLine ? "The API cannot be reached." : "This device is offline.");
  } finally {
    clearTimeout(timer);
    byId("slow").hidden = true;
  }
}

// Run an idempotent action, and repeat it up to three times after transient errors.
export async function retry(action) {
  for (const pause of BACKOFF_MS) {
    try {
      return await action();
    } catch (error) {
      if (!error.transient) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
  }
  return action();
}
