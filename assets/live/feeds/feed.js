// Feed: items by id in this tab, kept current by versioned patches. The server's half, with the
// rules for versions, is clinic_chat/realtime/feeds/protocol.py.

import { safely } from "../lib/safely.js";

const PENDING_LIMIT = 500;

export class Feed {
  /**
   * @param {string} name the feed's name
   * @param {{
   *   askFor: (feed: Feed) => Promise<unknown>,
   *   accepts?: (item: object, feed: Feed) => boolean,
   *   applied?: (patch: object) => void,
   * }} hooks `askFor` requests the changes since `feed.version`; `accepts` may refuse patched
   *   items outside of the part that this tab has loaded; `applied` is called with each patch in
   *   its turn, exactly once
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
    this.passed = new Map();
    this.asking = false;
  }

  get ready() {
    return this.version !== null;
  }

  /** The key and version that this tab has, null for nothing. */
  get held() {
    return this.ready ? { key: this.key, version: this.version } : null;
  }

  /** Replace all items, then apply the patches that arrived while they were being read. */
  snapshot({ key, version, items }) {
    const { pending } = this;
    const newest = key === this.key && this.ready ? this.version : version;
    this.reset(key);
    this.version = version;
    for (const item of items) this.items.set(item.id, item);
    for (const patch of pending) this.patch(patch);
    // Patches that overtook the snapshot are not in it.
    if (this.version < newest) this.repair();
  }

  /** Apply a patch, or keep it until those before it are here. */
  patch(message) {
    const { key, from, to, upsert, remove = [] } = message;
    if (key !== this.key) return;
    if (!this.ready || from > this.version) {
      if (this.pending.length < PENDING_LIMIT) this.pending.push(message);
      if (this.ready) this.repair();
      return;
    }
    this.asking = false;
    if (to <= this.version) return;
    this.version = to;
    for (const item of upsert) {
      if (this.items.has(item.id) || this.accepts(item, this)) this.items.set(item.id, item);
      else this.pass(item);
    }
    for (const id of remove) {
      this.items.delete(id);
      this.pass({ id, deleted: true });
    }
    // It must not keep the patches behind this one from being applied.
    safely(this.applied, message);
    const { pending } = this;
    this.pending = [];
    for (const patch of pending) this.patch(patch);
  }

  /** Add requested items; items that are here already are at least as new and stay. */
  page(items) {
    for (const item of items) {
      if (this.items.has(item.id)) continue;
      const newer = this.passed.get(item.id) ?? item;
      if (!newer.deleted) this.items.set(item.id, newer);
    }
  }

  /** Remember a refused or deleted item, because a page that was read before it would bring an older one. */
  pass(item) {
    this.passed.delete(item.id);
    this.passed.set(item.id, item);
    if (this.passed.size > PENDING_LIMIT) this.passed.delete(this.passed.keys().next().value);
  }

  /** Request the missing changes, with one request at a time. */
  async repair() {
    if (this.asking) return;
    this.asking = true;
    const { key } = this;
    await this.askFor(this);
    if (key === this.key) this.asking = false;
  }
}
