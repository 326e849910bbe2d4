// Feed registry: the feeds of this page by name. Feeds register here; code that talks to the server
// finds them here.

const feeds = new Map();

/**
 * @param {string} name the feed's name, as the server uses it
 * @param {{
 *   receive: (message: object) => void,
 *   wanted?: () => {key: string, around?: number} | null,
 *   held?: () => {key: string, version: number} | null,
 *   upTo?: (version: number) => boolean,
 * }} feed `receive` takes its messages; `wanted` returns the list that this tab follows, null for
 *   none; `held` the part that it has, null for nothing; `upTo` whether it has everything up to
 *   the clinic's event of this number, and requests missing changes
 */
export function registerFeed(name, { receive, wanted, held = () => null, upTo = () => true }) {
  feeds.set(name, { receive, wanted, held, upTo });
}

/** Pass a message to its feed; messages for unknown feeds are ignored. */
export function receiveFeed(message) {
  feeds.get(message.feed)?.receive(message);
}

/** The wanted and held lists by feed; `follows` is false for a feed that comes with another one. */
export const followedFeeds = () =>
  [...feeds].map(([name, { wanted, held }]) => [
    name,
    { follows: Boolean(wanted), wanted: wanted?.() ?? null, held: held() },
  ]);

/** Whether all feeds have everything up to a version of the clinic's log. */
export const areUpTo = (version) => [...feeds.values()].every((feed) => feed.upTo(version));
