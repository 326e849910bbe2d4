// What a tab has in a browser, as far as the modules of assets/live use it.

/** Time that passes when the test says so, with the timers and frames that go by it. */
export class Clock {
  now = 0;
  #timers = new Map();
  #last = 0;

  after(ms, run, every = null) {
    const id = ++this.#last;
    this.#timers.set(id, { at: this.now + Math.max(0, ms ?? 0), run, every });
    return id;
  }

  cancel(id) {
    this.#timers.delete(id);
  }

  /** Let time pass; `settle` is awaited after each timer that ran. */
  async pass(ms, settle) {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end);
      if (due.length === 0) break;
      const [id, timer] = due.reduce((first, next) => (next[1].at < first[1].at ? next : first));
      this.now = Math.max(this.now, timer.at);
      if (timer.every === null) this.#timers.delete(id);
      else timer.at += timer.every;
      timer.run();
      await settle();
    }
    this.now = end;
  }
}

class Listeners {
  #byEvent = new Map();

  addEventListener(event, listener) {
    this.#byEvent.set(event, [...(this.#byEvent.get(event) ?? []), listener]);
  }

  removeEventListener(event, listener) {
    const kept = (this.#byEvent.get(event) ?? []).filter((other) => other !== listener);
    this.#byEvent.set(event, kept);
  }

  dispatch(event, details = {}) {
    for (const listener of this.#byEvent.get(event) ?? []) listener(details);
  }
}

class Storage {
  #values = new Map();
  get length() {
    return this.#values.size;
  }
  entries = () => [...this.#values];
  key = (n) => [...this.#values.keys()][n] ?? null;
  getItem = (name) => this.#values.get(name) ?? null;
  setItem = (name, value) => void this.#values.set(name, String(value));
  removeItem = (name) => void this.#values.delete(name);
}

const anything = () =>
  new Proxy(function () {}, { get: () => anything(), set: () => true, apply: () => anything() });

/**
 * The globals of a tab at a place; `storage` is its browser's, `session` its own, `leave(to)`
 * loads a page.
 */
export function globals(clock, place, storage, session, leave) {
  const document = Object.assign(new Listeners(), {
    hidden: false,
    focused: true,
    title: "",
    documentElement: { dataset: {} },
    hasFocus: () => document.focused && !document.hidden,
    querySelectorAll: () => [],
    querySelector: (selector) => (selector.startsWith("link") ? anything() : null),
    querySelectorAll: () => [],
    createElement: () => anything(),
  });
  const window = Object.assign(new Listeners(), {
    document,
    localStorage: storage,
    sessionStorage: session,
    location: {
      origin: "http://tab.test",
      href: "http://tab.test/",
      ...place,
      replace: leave,
      assign: leave,
    },
    setTimeout: (run, ms) => clock.after(ms, run),
    clearTimeout: (id) => clock.cancel(id),
    setInterval: (run, ms) => clock.after(ms, run, ms),
    requestAnimationFrame: (run) => clock.after(16, run),
    cancelAnimationFrame: (id) => clock.cancel(id),
    focus() {},
  });
  return {
    window,
    document,
    navigator: { onLine: true, languages: ["en"] },
    performance: { now: () => clock.now },
  };
}

export const newStorage = () => new Storage();
