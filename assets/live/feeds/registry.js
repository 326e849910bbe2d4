// The feeds of this page, by name. A feed registers itself; whoever speaks with the server asks here.

const feeds = new Map();

/**
 * @param {string} name the feed's, as the server says it
 * @param {{
 *   receive: (message: object) => void,
 *   held?: () => {key: string, version: number} | null,
 *   upTo?: (version: number) => boolean,
 * }} feed `receive` takes its messages; `held` says what this tab has of it, null for nothing;
 *   `upTo` whether it has everything up to the clinic's event of this number, and asks for what
 *   is missing
 */
export function registerFeed(name, { receive, held = () => null, upTo = () => true }) {
  feeds.set(name, { receive, held, upTo });
}

/** Hand a message to its feed; what no feed here takes is for another page. */
export function receiveFeed(message) {
  feeds.get(message.feed)?.receive(message);
}

/** What this tab holds, by feed, so that the server sends only what it lacks. */
export function heldVersions() {
  const held = {};
  for (const [name, feed] of feeds) {
    const has = feed.held();
    if (has) held[name] = has;
  }
  return held;
}

/** Whether everything on the screen is there up to a version of the clinic's log. */
export const areUpTo = (version) => [...feeds.values()].every((feed) => feed.upTo(version));
