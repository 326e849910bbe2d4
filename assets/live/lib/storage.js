// Storage: the browser's storage, which may be full, forbidden or missing. Nothing here throws: an
// item that the browser does not take lasts as long as the page. Reflex's modules use it too
// (clinic_chat/ui/build/reflex_modules.py).

/** A storage that never throws; `find()` returns the browser's, null or undefined, or throws. */
function forgiving(find) {
  const values = new Map();
  // What the browser would not remove.
  const removed = new Set();
  const attempt = (use, otherwise) => {
    try {
      return use(find()) ?? otherwise;
    } catch {
      return otherwise;
    }
  };
  const stored = (name) => attempt((store) => store.getItem(name), null);
  const store = {
    getItem(name) {
      if (values.has(name)) return values.get(name);
      return removed.has(name) ? null : stored(name);
    },
    /** Store `text` beyond the page; false, and nothing changes, if the browser does not. */
    keepItem(name, text) {
      const lasts = attempt((real) => {
        real.setItem(name, text);
        // Some take it and have nothing afterwards.
        return real.getItem(name) === text;
      }, false);
      if (lasts) {
        values.delete(name);
        removed.delete(name);
      }
      return lasts;
    },
    setItem(name, value) {
      const text = String(value);
      if (!store.keepItem(name, text)) values.set(name, text);
    },
    removeItem(name) {
      values.delete(name);
      attempt((real) => real.removeItem(name));
      if (stored(name) === null) return;
      removed.add(name);
      attempt((real) => real.setItem(name, ""));
    },
    clear() {
      for (const name of [...values.keys(), ...store.names()]) store.removeItem(name);
    },
    /** The names of the items that the browser keeps. */
    names: () =>
      attempt((real) => Array.from({ length: real.length }, (_, n) => real.key(n)), []).filter(
        (name) => !removed.has(name),
      ),
  };
  return store;
}

export const local = forgiving(() => window.localStorage);
export const session = forgiving(() => window.sessionStorage);
