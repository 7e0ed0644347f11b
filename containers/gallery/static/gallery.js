// Finds the API, and starts the parts of the page, each in a file of its own.

import { restore } from "./album.js";
import { connect } from "./api.js";
import { byId } from "./dom.js";
import { more } from "./feed.js";
import "./large.js";
import { servedBy } from "./served_by.js";
import "./upload.js";

servedBy().then((words) => (byId("served-by").textContent = words));

async function start() {
  const { api_url } = await (await fetch("config.json")).json();
  if (!api_url) throw new Error("This page was deployed without an API.");
  connect(api_url);
  byId("add").hidden = false;
  restore();
  await more();
}

start().catch(({ message }) => (byId("trouble").textContent = message));
