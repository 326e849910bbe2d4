// What this tab follows, and what the server knows of it: it is told when the tab connects, and by
// a command for what changes afterwards.

import { followedFeeds } from "./registry.js";

const AGAIN_MS = 2000;

let request = async () => ({ error: { code: "offline" } });
const told = new Map();
let order = 0;

/** Send commands by this function, which answers `{error: {code: "offline"}}` without a connection. */
export function followBy(send) {
  request = send;
}

/**
 * What this tab follows and has, by feed, so that the server sends only what it lacks.
 * @returns {Record<string, {key: string, version?: number, around?: number}>}
 */
export function tellAtConnect() {
  told.clear();
  order = 0;
  const said = {};
  for (const [name, { wanted, held }] of followedFeeds()) {
    told.set(name, asText(wanted));
    const version = held?.key === wanted?.key ? held?.version : undefined;
    const follows = wanted ?? held;
    if (follows) said[name] = { ...follows, ...(version === undefined ? {} : { version }) };
  }
  return said;
}

/** Tell the server what this tab follows now, as far as it does not know. */
export function follow() {
  for (const [name, { wanted, follows }] of followedFeeds()) {
    if (follows && told.get(name) !== asText(wanted)) open(name, wanted);
  }
}

/** Have a feed sent once more, whatever was told of it. */
export function followAgain(name) {
  told.delete(name);
  follow();
}

async function open(name, wanted) {
  const text = asText(wanted);
  told.set(name, text);
  order += 1;
  const { error } = await request("feed:open", { feed: name, key: null, ...wanted, order });
  if (!error || told.get(name) !== text) return;
  told.delete(name);
  // Without a connection the next one is told.
  if (error.code !== "offline") window.setTimeout(follow, AGAIN_MS);
}

const asText = (wanted) => JSON.stringify(wanted ?? null);
