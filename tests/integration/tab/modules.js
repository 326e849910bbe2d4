// What a page loads, for `tab`.

import connect from "$/public/live/socket.js";
import { LiveBridge } from "$/public/live/bridge.js";
import { markUnread } from "$/public/live/actions.js";
import * as drafts from "$/public/live/drafts.js";
import * as outbox from "$/public/live/outbox.js";
import { keepOwned } from "$/public/live/screen.js";
import { scroller } from "$/public/live/scroll.js";
import * as thread from "$/public/live/thread.js";

// Nothing is drawn here, so what is there counts as shown.
scroller.shows = () => true;
tab.modules = { connect, LiveBridge, markUnread, drafts, outbox, keepOwned, thread };
