/** What a messenger without a store does, a program of its own: hands on what comes to whoever is there, then confirms it. Prints its port. */
import { createServer } from "node:http";
import { Server } from "socket.io";

type Events = {
  join(room: string, joined: () => void): void;
  message(room: string, message: Uint8Array, relayed: () => void): void;
};
type Pushes = { message(message: Uint8Array): void };

const http = createServer();
const server = new Server<Events, Pushes>(http, {
  transports: ["websocket"],
  perMessageDeflate: false,
});
server.on("connection", (socket) => {
  socket.on("join", (room, joined) => {
    socket.join(room);
    joined();
  });
  socket.on("message", (room, message, relayed) => {
    server.to(room).emit("message", message);
    relayed();
  });
});
http.listen(0, "127.0.0.1", () => {
  const address = http.address();
  if (address === null || typeof address === "string") {
    throw new Error("no port");
  }
  console.log(address.port);
});
