// Follows a clinic: what was missed since the last run, and everything from now on.
//
//   npm install socket.io-client
//   CLINIC_CHAT_URL=https://inbox.example CLINIC_CHAT_TOKEN=cc_… node follow_clinic.mjs aurora [SEQ]
//
// Prints one event a line. Keep the greatest `seq` and give it next time: nothing is missed.

import { io } from "socket.io-client";

const [clinic, from = "0"] = process.argv.slice(2);
let seq = Number(from);

const socket = io(`${process.env.CLINIC_CHAT_URL}/clinic/${clinic}`, {
  path: "/_event",
  transports: ["websocket"],
  auth: { token: process.env.CLINIC_CHAT_TOKEN },
});

let catchingUp = false;
const meanwhile = [];

function take(event) {
  console.log(JSON.stringify(event));
  seq = Math.max(seq, event.seq ?? 0);
}

socket.on("connect", async () => {
  catchingUp = true;
  for (let more = true; more; ) {
    const answer = await socket.emitWithAck("events:since", { seq });
    if (!answer.ok) throw new Error(answer.error.message);
    // The log does not go back so far: read the lists anew, and go on from here.
    if (answer.resync) console.log(JSON.stringify({ type: "resync", seq: answer.seq }));
    answer.events?.forEach(take);
    seq = answer.seq;
    more = answer.more ?? false;
  }
  catchingUp = false;
  // What came meanwhile is in the answers too, up to their `seq`.
  for (const event of meanwhile.splice(0)) if (!(event.seq <= seq)) take(event);
});

socket.onAny((_name, event) => {
  if (catchingUp) meanwhile.push(event);
  else take(event);
});

socket.on("connect_error", (error) => {
  console.error(error.message, JSON.stringify(error.data ?? {}));
  // With `data` the server has refused; without it the client tries again by itself.
  if (error.data) process.exitCode = 1;
});
