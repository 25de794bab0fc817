/** The servers of the comparison. */
import type { Server } from "./line.ts";
import { startMosquitto } from "./mosquitto.ts";
import { startRabbitMq } from "./rabbitmq.ts";
import { startSocketIo } from "./socket_io.ts";
import { startWhisper } from "./whisper.ts";

export interface Peer {
  readonly name: string;
  /** What load.ts calls it. */
  readonly load: string;
  /** Whether it keeps messages for who is away. */
  readonly keeps: boolean;
  start(directory: string): Promise<Server>;
}

export const WHISPER: Peer = {
  name: "this relay",
  load: "whisper",
  keeps: true,
  start: startWhisper,
};

export const RABBITMQ: Peer = {
  name: "RabbitMQ",
  load: "rabbitmq",
  keeps: true,
  start: startRabbitMq,
};

export const MOSQUITTO: Peer = {
  name: "Mosquitto",
  load: "mosquitto",
  keeps: true,
  start: startMosquitto,
};

export const SOCKET_IO: Peer = {
  name: "Socket.IO",
  load: "socketio",
  keeps: false,
  start: startSocketIo,
};

/** Starts a peer on an empty directory, and leaves nothing behind. */
export async function withPeer<Result>(
  peer: Peer,
  run: (server: Server) => Promise<Result>,
): Promise<Result> {
  const directory = await Deno.makeTempDir({ prefix: "whisper-bench-" });
  try {
    const server = await peer.start(directory);
    try {
      return await run(server);
    } finally {
      await server.stop();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
