// The feeds of this page, by name. A feed registers itself; whoever speaks with the server asks here.

const feeds = new Map();

/**
 * @param {string} name the feed's, as the server says it
 * @param {{
 *   receive: (message: object) => void,
 *   wanted?: () => {key: string, around?: number} | null,
 *   held?: () => {key: string, version: number} | null,
 *   upTo?: (version: number) => boolean,
 * }} feed `receive` takes its messages; `wanted` says which list this tab follows, null for none;
 *   `held` what it has of it, null for nothing; `upTo` whether it has everything up to the
 *   clinic's event of this number, and asks for what is missing
 */
export function registerFeed(name, { receive, wanted, held = () => null, upTo = () => true }) {
  feeds.set(name, { receive, wanted, held, upTo });
}

/** Hand a message to its feed; what no feed here takes is for another page. */
export function receiveFeed(message) {
  feeds.get(message.feed)?.receive(message);
}

/** What this tab wants and holds, by feed; `follows` is false for what comes with another one. */
export const followedFeeds = () =>
  [...feeds].map(([name, { wanted, held }]) => [
    name,
    { follows: Boolean(wanted), wanted: wanted?.() ?? null, held: held() },
  ]);

/** Whether everything on the screen is there up to a version of the clinic's log. */
export const areUpTo = (version) => [...feeds.values()].every((feed) => feed.upTo(version));
