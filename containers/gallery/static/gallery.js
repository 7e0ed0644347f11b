// Starts the page.

import { restore } from "./albums.js";
import { byId } from "./dom.js";
import { loadMore } from "./feed.js";
import "./lightbox.js";
import { servedBy } from "./served_by.js";
import "./upload.js";

byId("add").hidden = false;
servedBy().then((text) => (byId("served-by").textContent = text));
restore();
loadMore();
