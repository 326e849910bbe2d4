// Personal feed: changes of this person's own data, made on any of their devices.

import { PERSONAL_FEED, PERSONAL_KEY } from "$/utils/constants.js";
import { account } from "../account/account.js";
import * as counts from "../inbox/counts.js";
import { registerFeed } from "../feeds/registry.js";
import * as drafts from "../outbox/drafts.js";
import { setLocale } from "../lib/i18n.js";
import * as inbox from "../inbox/inbox.js";

const takers = {
  marker: inbox.markerMoved,
  draft: ({ id, body, version }) => drafts.receive(id, body, version),
  preferences: ({ locale, sound }) => {
    if (locale) setLocale(locale);
    account.update({ sound });
  },
};

function receive({ upsert }) {
  for (const change of upsert) {
    takers[change.type]?.(change);
    counts.saw(change.version);
  }
}

registerFeed(PERSONAL_FEED, {
  receive,
  // It is as new as the list that it came with.
  held: () => (inbox.feed.ready ? { key: PERSONAL_KEY, version: counts.personal() } : null),
});
