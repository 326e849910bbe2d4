// What a page loads, for `tab`.

import connect from "$/public/live/socket.js";
import { LiveBridge } from "$/public/live/bridge.js";
import { markUnread } from "$/public/live/actions.js";
import * as drafts from "$/public/live/drafts.js";
import * as outbox from "$/public/live/outbox.js";
import * as connection from "$/public/live/connection.js";
import { Feed } from "$/public/live/feed.js";
import { freshness } from "$/public/live/freshness.js";
import { identity } from "$/public/live/identity.js";
import * as inbox from "$/public/live/inbox.js";
import * as people from "$/public/live/people.js";
import { keepOwned, onShown } from "$/public/live/screen.js";
import { scroller } from "$/public/live/scroll.js";
import { createStore } from "$/public/live/store.js";
import * as thread from "$/public/live/thread.js";

// Nothing is drawn here, so what is there counts as shown.
scroller.shows = () => true;
// Every way to be told of something.
const listenTo = [
  connection.connection.subscribe,
  connection.onWake,
  freshness.subscribe,
  identity.subscribe,
  inbox.onChange,
  outbox.onChange,
  outbox.queued.subscribe,
  people.onChange,
  drafts.onRemote,
  onShown,
];
tab.modules = {
  connect,
  createStore,
  drafts,
  Feed,
  keepOwned,
  listenTo,
  LiveBridge,
  markUnread,
  outbox,
  thread,
};
