// What a browser may not have, refuse or do badly, by name.

const fails = () => {
  throw new Error("this browser does not do that");
};
const failing = (of, name) => Object.defineProperty(of, name, { get: fails });
const empty = () => ({
  length: 0,
  key: () => null,
  getItem: () => null,
  setItem() {},
  removeItem() {},
});
const storageThat = (name) => (globals) => {
  globals.window.localStorage = { ...empty(), [name]: fails };
  globals.window.sessionStorage = { ...empty(), [name]: fails };
};

/** The name of each and what it does to a tab's globals before the modules run. */
export const breakings = {
  "storage is null": ({ window }) => {
    window.localStorage = window.sessionStorage = null;
  },
  "storage is forbidden": ({ window }) => {
    failing(window, "localStorage");
    failing(window, "sessionStorage");
  },
  "storage reads nothing": storageThat("getItem"),
  "storage is full": storageThat("setItem"),
  "storage removes nothing": ({ window }) => {
    const kept = new Map();
    window.localStorage = {
      get length() {
        return kept.size;
      },
      key: (n) => [...kept.keys()][n] ?? null,
      getItem: (name) => kept.get(name) ?? null,
      setItem(name, text) {
        // As with a policy that only lets a page add.
        if (kept.has(name)) fails();
        kept.set(name, text);
      },
      removeItem: fails,
    };
  },
  "notifications throw": ({ window }) => {
    window.localStorage.setItem("clinic-chat:notify", "yes");
    window.Notification = class {
      static permission = "granted";
      constructor() {
        fails();
      }
    };
  },
  "notifications cannot be looked at": ({ window }) => failing(window, "Notification"),
  "no sound": ({ window }) => failing(window, "AudioContext"),
  "no locks": ({ navigator }) => failing(navigator, "locks"),
  "locks are refused": ({ navigator }) => {
    navigator.locks = { request: () => Promise.reject(new Error("insecure")) };
  },
  "no workers": ({ window }) => {
    window.Worker = fails;
  },
  "nobody knows whether there is a network": ({ navigator }) => failing(navigator, "onLine"),
  "no title": ({ document }) =>
    Object.defineProperty(document, "title", { set: fails, get: () => "" }),
  "no icon": ({ document }) => {
    document.querySelector = fails;
  },
  "no canvas": ({ document }) => {
    document.createElement = fails;
  },
};
