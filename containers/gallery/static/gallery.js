// Starts the parts of the page, each in a file of its own.

import { restore } from "./albums.js";
import { byId } from "./dom.js";
import { more } from "./feed.js";
import "./lightbox.js";
import { servedBy } from "./served_by.js";
import "./upload.js";

byId("add").hidden = false;
servedBy().then((words) => (byId("served-by").textContent = words));
restore();
more();
