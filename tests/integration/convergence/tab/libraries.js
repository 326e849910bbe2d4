// Stands in for the libraries that the modules import: as much of React as a component without
// output needs, the router's place, and a socket whose other end is the test. `tab` is the tab
// that the bundle was made for.

const same = (one, other) => one && other && one.every((value, n) => Object.is(value, other[n]));

function effect(run, inputs) {
  const slot = tab.effects[tab.effect++] ?? {};
  tab.effects[tab.effect - 1] = slot;
  if (same(slot.inputs, inputs)) return;
  slot.stop?.();
  slot.inputs = inputs;
  slot.stop = run();
}

export const useEffect = effect;
export const useLayoutEffect = effect;
export const useCallback = (run) => run;
export const useRef = (current) => ({ current });
export const useState = (value) => [value, () => {}];
export const useSyncExternalStore = (_subscribe, get) => get();
export const createElement = () => null;
export const Fragment = null;

export const useLocation = () => tab.place;
export const useNavigate = () => tab.navigate;

export const catalogs = { en: {}, "pt-BR": {} };

class Socket {
  connected = false;
  auth = {};
  listeners = new Map();
  io = {
    opts: {},
    engine: { transport: { name: "websocket" }, _hasPingExpired: () => false },
    open() {},
  };

  on(event, listener) {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
  }

  fire(event, ...data) {
    for (const listener of this.listeners.get(event) ?? []) listener(...data);
  }

  emit(event, data, whenAnswered) {
    tab.sent(event, data, whenAnswered);
  }

  get volatile() {
    return this;
  }

  connect() {
    tab.dial(this.auth);
  }

  reconnect() {}

  disconnect() {
    tab.hangUp();
  }
}

/** What socket.io-client exports. */
export default () => new Socket();
