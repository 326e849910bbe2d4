// Pager: loads further items of a feed, one page at a time on each of its sides.

const ASK_AGAIN_MS = 2000;

export class Pager {
  /**
   * @param {{
   *   ask: (query: object) => Promise<{error?: object}>,
   *   changed: () => void,
   * }} hooks `ask` requests a page; `changed` is called when a side begins or ends to load
   */
  constructor({ ask, changed }) {
    this.ask = ask;
    this.changed = changed;
    this.reset();
  }

  /** Forget pending requests, because another list is shown. */
  reset() {
    this.asked = new Set();
  }

  isLoading(side) {
    return this.asked.has(side);
  }

  /** Request a page on a side, unless one is pending. */
  async load(side, query) {
    const { asked } = this;
    if (asked.has(side)) return;
    const done = () => {
      asked.delete(side);
      this.changed();
    };
    asked.add(side);
    this.changed();
    const answer = await this.ask(query);
    // The button asks by itself as long as it is in view.
    if (answer.error) window.setTimeout(done, ASK_AGAIN_MS);
    else done();
  }
}
