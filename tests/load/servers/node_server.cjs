// The floor in Node: Socket.IO as it comes. Whoever says something says it to everybody.
// Started as `node node_server.cjs PORT PING_MS PONG_MS`, with socket.io on NODE_PATH.

const { createServer } = require("node:http");
const { Server } = require("socket.io");

const [port, pingInterval, pingTimeout] = process.argv.slice(2).map(Number);
const server = createServer();
const io = new Server(server, {
  pingInterval,
  pingTimeout,
  allowUpgrades: false,
  perMessageDeflate: false,
  serveClient: false,
});

io.on("connection", (socket) => {
  socket.join("everybody");
  socket.on("say", (data) => io.to("everybody").emit("said", data));
});
server.listen(port, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
