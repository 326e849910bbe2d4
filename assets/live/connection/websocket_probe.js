// Websocket probe: while a tab polls, tests whether websockets work again, and switches to them.

import { connection } from "./connection.js";
import { whenIdle } from "./request.js";

const EVERY_MS = 30_000;
const TIMEOUT_MS = 5000;
// Polling may only have been the luckier attempt, as after a restart of the server. But a
// websocket that was left a moment ago is not tried again at once.
const AT_FIRST_MS = 2000;
const DISTRUST_MS = 60_000;

let timer = null;
let switchedAt = -Infinity;

/** Call `switchToWebsocket` when websockets work and no request is pending. */
export function watchForWebsocket(switchToWebsocket) {
  const probe = async () => {
    if (await opens()) {
      await whenIdle();
      if (connection.get().status !== "polling") return;
      switchedAt = Date.now();
      switchToWebsocket();
    } else {
      timer = window.setTimeout(probe, EVERY_MS);
    }
  };
  let was = null;
  return connection.subscribe(({ status }) => {
    if (status === was) return;
    was = status;
    window.clearTimeout(timer);
    if (status !== "polling") return;
    timer = window.setTimeout(
      probe,
      Date.now() - switchedAt < DISTRUST_MS ? EVERY_MS : AT_FIRST_MS,
    );
  });
}

function opens() {
  const url = new URL("/_event/?EIO=4&transport=websocket", window.location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    const done = (answer) => {
      window.clearTimeout(timeout);
      socket.onmessage = socket.onclose = null;
      socket.close();
      resolve(answer);
    };
    const timeout = window.setTimeout(() => done(false), TIMEOUT_MS);
    // Engine.IO's greeting, so frames come through and not only the upgrade.
    socket.onmessage = () => done(true);
    socket.onclose = () => done(false);
  });
}
