// One live feed in this tab: items by id, kept current by versioned patches.
// The server's half, with the rules of versions, is clinic_chat/realtime/feeds.py.

const PENDING_LIMIT = 500;

export class Feed {
  /**
   * @param {string} name what the feed lists
   * @param {{
   *   askFor: (feed: Feed) => void,
   *   accepts?: (item: object, feed: Feed) => boolean,
   *   applied?: (patch: object) => void,
   * }} hooks `askFor` requests what is missing since `feed.version`; `accepts` may turn down
   *   patched items that lie outside of what this tab has loaded; `applied` hears of each patch
   *   in its turn, exactly once
   */
  constructor(name, { askFor, accepts = () => true, applied = () => {} }) {
    this.name = name;
    this.askFor = askFor;
    this.accepts = accepts;
    this.applied = applied;
    this.reset(null);
  }

  /** Forget everything and wait for the snapshot of `key`. */
  reset(key) {
    this.key = key;
    this.version = null;
    this.items = new Map();
    this.pending = [];
    this.asking = false;
  }

  get ready() {
    return this.version !== null;
  }

  /** Replace all items, then apply the patches that arrived while they were being read. */
  snapshot({ key, version, items }) {
    const pending = this.pending;
    this.reset(key);
    this.version = version;
    for (const item of items) this.items.set(item.id, item);
    for (const patch of pending) this.patch(patch);
  }

  /** Apply a patch; true when it changed something. */
  patch(message) {
    const { key, from, to, upsert } = message;
    if (key !== this.key) return false;
    if (!this.ready) {
      if (this.pending.length < PENDING_LIMIT) this.pending.push(message);
      return false;
    }
    if (from > this.version) {
      this.repair();
      return false;
    }
    this.asking = false;
    if (to <= this.version) return false;
    this.version = to;
    for (const item of upsert) {
      if (this.items.has(item.id) || this.accepts(item, this)) this.items.set(item.id, item);
    }
    this.applied(message);
    return true;
  }

  /** Add further items that were asked for; what is here already is at least as new. */
  page(items) {
    for (const item of items) {
      if (!this.items.has(item.id)) this.items.set(item.id, item);
    }
  }

  /** Ask for what is missing, once until an answer arrives. */
  repair() {
    if (this.asking) return;
    this.asking = true;
    this.askFor(this);
  }
}
