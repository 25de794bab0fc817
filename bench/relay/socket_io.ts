/** Socket.IO as the first prototype used it: nothing is kept, so only who is there hears anything. */
import { Buffer } from "node:buffer";
import { io } from "socket.io-client";
import { type Line, numbered, numberOf, type Server } from "./line.ts";

export async function startSocketIo(): Promise<Server> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      new URL("socket_io_server.ts", import.meta.url).href,
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = child.stdout.getReader();
  const { value } = await output.read();
  if (value === undefined) throw new Error("the Socket.IO server ended");
  return {
    pid: child.pid,
    address: `http://127.0.0.1:${new TextDecoder().decode(value).trim()}`,
    stop: async () => {
      child.kill("SIGTERM");
      await output.cancel();
      await child.status;
    },
  };
}

export async function connectSocketIo(
  address: string,
  index: number,
): Promise<Line> {
  const options = { transports: ["websocket"], forceNew: true };
  const sender = io(address, options);
  const recipient = io(address, options);
  await Promise.all(
    [sender, recipient].map((socket) =>
      new Promise<void>((resolve) => socket.once("connect", () => resolve()))
    ),
  );
  const room = `line-${index}`;
  return {
    send: (number) =>
      new Promise((resolve) =>
        sender.emit("message", room, Buffer.from(numbered(number)), resolve)
      ),
    listen: async (arrived) => {
      recipient.on(
        "message",
        (message: Uint8Array) => arrived(numberOf(message)),
      );
      await recipient.emitWithAck("join", room);
    },
    close: () => {
      sender.disconnect();
      recipient.disconnect();
      return Promise.resolve();
    },
  };
}
