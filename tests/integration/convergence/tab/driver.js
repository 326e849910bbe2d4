// Runs the browser modules outside of a browser. Each tab has its own copy of them, its own
// globals and its own clock. One command per line comes on standard input, as
// {"tab", "do", …}, and one answer per line goes out: what the tab sent, and what was asked for.

import { resolve } from "node:path";

import { breakings } from "./breakings.js";
import { Clock, globals, newStorage } from "./globals.js";

const HERE = import.meta.dir;
const ASSETS = resolve(HERE, "../../../../assets");
const OURS = /^\$\/public\//;
const CIPHERS = /^@noble\/ciphers\//;
const [LIBRARIES, BUILT_MODULES] = process.argv.slice(2);
const OF_THE_SERVER = /^\$\/utils\/(?=(constants|error_texts)\.js$)/;
const THEIRS = /^(react|react-router|socket\.io-client|\$\/utils\/catalogs\/\w+\.js)$/;
const GLOBALS = ["tab", "window", "document", "navigator", "performance"];
const ASKING = ["vars", "sabotaged", "second", "feed", "asksToStay"];
const INBOX = "inbox";
const THREAD = "thread";
const FIELD = "_rx_state_";

const settle = () => new Promise(setImmediate);

async function bundle() {
  const built = await Bun.build({
    entrypoints: [resolve(HERE, "modules.js")],
    format: "iife",
    plugins: [
      {
        name: "places",
        setup(build) {
          const at = (path) => ({ path });
          build.onResolve({ filter: OURS }, ({ path }) => at(path.replace(OURS, `${ASSETS}/`)));
          build.onResolve({ filter: CIPHERS }, ({ path }) => at(`${LIBRARIES}/${path}`));
          build.onResolve({ filter: OF_THE_SERVER }, ({ path }) =>
            at(path.replace(OF_THE_SERVER, `${BUILT_MODULES}/`)),
          );
          build.onResolve({ filter: THEIRS }, () => at(resolve(HERE, "libraries.js")));
        },
      },
    ],
  });
  return new Function(...GLOBALS, await built.outputs[0].text());
}

class Tab {
  constructor(load, { path, storage, session, person, breaks = [] }) {
    this.clock = new Clock();
    this.place = placeOf(path);
    this.session = session;
    this.globals = globals(this.clock, this.place, storage, session, (to) => (this.left = to));
    for (const name of breaks) breakings[name](this.globals);
    this.person = person;
    this.effects = [];
    this.navigate = (to) => this.go(to);
    this.shown = {};
    this.answers = new Map();
    this.forgetSent();
    const { window, document, navigator, performance } = this.globals;
    load(this, window, document, navigator, performance);
    this.socket = this.modules.connect("http://built.test/_event", {});
    this.socket.on("event", ({ delta }) => {
      for (const [state, vars] of Object.entries(delta)) {
        this.shown[state] = { ...this.shown[state], ...vars };
      }
    });
    this.render({ userId: "", clinic: "", timeZone: "UTC", sound: true, locale: "" });
    this.socket.connect();
  }

  forgetSent() {
    this.out = [];
    this.dialled = null;
    this.hungUp = false;
    this.went = null;
    this.left = null;
  }

  sent(event, data, whenAnswered) {
    const number = whenAnswered ? this.answers.size + 1 : 0;
    if (whenAnswered) this.answers.set(number, whenAnswered);
    this.out.push({ event, data, number });
  }

  dial(auth) {
    this.dialled = auth;
  }

  hangUp() {
    this.hungUp = true;
  }

  render(account) {
    this.account = account;
    this.effect = 0;
    this.modules.LiveBridge({ inboxState: INBOX, threadState: THREAD, ...account });
  }

  go(to) {
    if (to === this.place.pathname + this.place.search) return;
    this.place = placeOf(to);
    Object.assign(this.globals.window.location, this.place);
    this.went = to;
    this.render(this.account);
  }

  vars(from) {
    const plain = (vars = {}) =>
      Object.fromEntries(Object.entries(vars).map(([k, v]) => [k.replace(FIELD, ""), v]));
    return { inbox: plain(from[INBOX]), thread: plain(from[THREAD]) };
  }
}

const doings = {
  // What the server sent before it let the tab in is there before the tab hears that it is in.
  connected: (tab, { first }) => {
    tab.socket.connected = true;
    for (const [event, data] of first) tab.socket.fire(event, data);
    tab.socket.fire("connect");
  },
  refused: (tab, { reason }) => tab.socket.fire("connect_error", new Error(reason)),
  cut: (tab) => {
    tab.socket.connected = false;
    tab.socket.fire("disconnect", "transport close");
  },
  online: (tab) => tab.globals.window.dispatch("online"),
  signedIn: (tab) => tab.render(tab.person),
  // Another tab of the browser changed what they share.
  shares: (tab, { key, value }) => tab.globals.window.dispatch("storage", { key, newValue: value }),
  // Whether the browser would ask before it lets the page go: newer and older ones.
  asksToStay: (tab) => {
    let prevented = false;
    const event = { preventDefault: () => (prevented = true), returnValue: "" };
    tab.globals.window.dispatch("beforeunload", event);
    return [prevented, Boolean(event.returnValue)];
  },
  receive: (tab, { event, data }) => tab.socket.fire(event, data),
  answer: (tab, { number, data }) => tab.answers.get(number)(data),
  pass: (tab, { ms }) => tab.clock.pass(ms, settle),
  go: (tab, { to }) => tab.go(to),
  // As the links of the list do.
  openConversation: (tab, { id, seq }) => {
    const { filters } = tab.modules;
    tab.go(id ? filters.conversationPath(id, seq) : filters.listPath());
  },
  filter: ({ modules }, { chosen }) => {
    modules.filters.clear();
    modules.filters.choose(chosen);
  },
  search: ({ modules }, { text }) => modules.views.searchFor(text),
  look: (tab, { focused, hidden }) => {
    const { window, document } = tab.globals;
    const changed = document.hidden !== hidden;
    Object.assign(document, { focused, hidden });
    if (changed) document.dispatch("visibilitychange");
    window.dispatch(focused ? "focus" : "blur");
  },
  type: ({ modules, place }, { text }) => modules.drafts.edit(openId(place), text),
  send: ({ modules, place }, { text }) => {
    modules.outbox.send(openId(place), text);
    modules.drafts.edit(openId(place), "");
    modules.thread.jumpToLatest();
  },
  // Its answer comes later, or not at all: nobody may wait for it here.
  scroll: ({ modules }, { side }) => {
    const { thread } = modules;
    if (side === "earlier") thread.loadEarlier();
    else thread.loadLater();
  },
  retry: ({ modules }, { clientId }) => modules.outbox.retry(clientId),
  // A listener of everything that fails each time.
  sabotage: (tab) => {
    tab.sabotaged = 0;
    const { listenTo } = tab.modules;
    for (const listen of listenTo) {
      listen(() => {
        tab.sabotaged += 1;
        throw new Error("sabotage");
      });
    }
  },
  sabotaged: (tab) => tab.sabotaged,
  // What a feed has when its hook fails at a patch that another one waits for.
  feed: ({ modules }) => {
    const feed = new modules.Feed("items", {
      askFor: async () => {},
      applied() {
        throw new Error("sabotage");
      },
    });
    feed.reset("mine");
    feed.snapshot({ key: "mine", version: 1, items: [] });
    feed.patch({ key: "mine", from: 2, to: 3, upsert: [{ id: "third" }] });
    feed.patch({ key: "mine", from: 1, to: 2, upsert: [{ id: "second" }] });
    return [feed.version, ...feed.items.keys()];
  },
  // What a store's second listener hears when the first one fails.
  second: ({ modules }) => {
    let heard = null;
    const store = modules.createStore(0);
    store.subscribe(() => {
      throw new Error("sabotage");
    });
    store.subscribe((value) => (heard = value));
    store.set(1);
    return heard;
  },
  // Its answer comes later, or not at all: nobody may wait for it here.
  markUnread: ({ modules, place }) => {
    modules.markUnread(openId(place));
  },
  // Asks for what is shown, and for what a server update would make of it.
  vars: (tab) => ({
    shown: tab.vars(tab.shown),
    now: tab.vars(tab.modules.overlayOwned({ delta: { [INBOX]: {}, [THREAD]: {} } }).delta),
    title: tab.globals.document.title,
    queued: tab.modules.outbox.queued.get(),
    draft: tab.modules.drafts.draftOf(openId(tab.place)),
  }),
};

function placeOf(address) {
  const [pathname, search = ""] = address.split("?");
  return { pathname, search: search && `?${search}` };
}

const openId = ({ pathname }) => pathname.replace("/c/", "");

const load = await bundle();
const tabs = new Map();
const storages = new Map();

function storageOf(device) {
  if (!storages.has(device)) storages.set(device, newStorage());
  return storages.get(device);
}

async function answer({ tab: name, do: doing, ...details }) {
  if (doing === "reset") {
    tabs.clear();
    storages.clear();
    return {};
  }
  if (doing === "stored") {
    const storage = storageOf(details.device);
    for (const [name, text] of Object.entries(details.keep)) storage.setItem(name, text);
    return { stored: Object.fromEntries(storage.entries()) };
  }
  if (doing === "open") {
    // A reload keeps what is the tab's alone.
    const session = tabs.get(name)?.session ?? newStorage();
    tabs.set(name, new Tab(load, { ...details, storage: storageOf(details.device), session }));
  }
  const tab = tabs.get(name);
  const result = doing === "open" ? undefined : await doings[doing](tab, details);
  await settle();
  const { out, dialled, hungUp, went, left } = tab;
  tab.forgetSent();
  return { out, dialled, hungUp, went, left, result: ASKING.includes(doing) ? result : null };
}

// What nobody waits for must not fail unseen.
let unseen = null;
process.on("unhandledRejection", (error) => (unseen = error));

for await (const line of console) {
  if (!line) break;
  let answered = await answer(JSON.parse(line)).catch((error) => ({ failed: error.stack }));
  if (unseen) answered = { failed: `unhandled: ${unseen.stack}` };
  unseen = null;
  console.log(JSON.stringify(answered));
}
