// Following: tells the server the feeds that this tab follows, when it connects and by a command
// for each change afterwards.

import { followedFeeds } from "./registry.js";

const AGAIN_MS = 2000;

let request = async () => ({ error: { code: "offline" } });
const told = new Map();
let order = 0;

/** Send commands with `send`, which answers `{error: {code: "offline"}}` without a connection. */
export function followBy(send) {
  request = send;
}

/**
 * The feeds that this tab follows with the versions it has, so that the server sends only changes.
 * @returns {Record<string, {key: string, version?: number, around?: number}>} by feed
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

/** Tell the server the feeds that this tab follows now, if it does not know yet. */
export function follow() {
  for (const [name, { wanted, follows }] of followedFeeds()) {
    if (follows && told.get(name) !== asText(wanted)) open(name, wanted);
  }
}

/** Request a feed once more, whether the server knows of it or not. */
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
