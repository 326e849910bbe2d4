// What a page loads, for `tab`.

import connect from "$/public/live/app/socket.js";
import { LiveBridge } from "$/public/live/app/bridge.js";
import { markUnread } from "$/public/live/thread/actions.js";
import * as drafts from "$/public/live/outbox/drafts.js";
import * as outbox from "$/public/live/outbox/outbox.js";
import * as connection from "$/public/live/connection/connection.js";
import { Feed } from "$/public/live/feeds/feed.js";
import * as filters from "$/public/live/navigation/filters.js";
import { freshness } from "$/public/live/app/freshness.js";
import { identity } from "$/public/live/connection/identity.js";
import * as inbox from "$/public/live/inbox/inbox.js";
import * as views from "$/public/live/inbox/views.js";
import * as people from "$/public/live/presence/presence.js";
import { overlayOwned, onShown } from "$/public/live/feeds/reflex_vars.js";
import { scroller } from "$/public/live/thread/scroll.js";
import { createStore } from "$/public/live/lib/store.js";
import * as thread from "$/public/live/thread/thread.js";

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
  filters,
  overlayOwned,
  listenTo,
  LiveBridge,
  markUnread,
  outbox,
  thread,
  views,
};
