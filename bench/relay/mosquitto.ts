/** Mosquitto at QoS 1 with sessions that stay. It writes a snapshot now and then: a crash loses what it confirmed. */
import { Buffer } from "node:buffer";
import {
  connect,
  connectAsync,
  type IClientOptions,
  type MqttClient,
} from "mqtt";
import { type Line, numbered, numberOf, type Server } from "./line.ts";
import { freePort, listening } from "./process.ts";

/** Needs Debian's package `mosquitto`. */
export async function startMosquitto(directory: string): Promise<Server> {
  const port = freePort();
  const config = `${directory}/mosquitto.conf`;
  await Deno.writeTextFile(
    config,
    [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      "persistence true",
      `persistence_location ${directory}/`,
      "max_queued_messages 0",
      "max_inflight_messages 1000",
      "set_tcp_nodelay true",
      "user root",
      "log_type none",
      "",
    ].join("\n"),
  );
  const child = new Deno.Command("/usr/sbin/mosquitto", {
    args: ["-c", config],
    stdout: "null",
    stderr: "null",
  }).spawn();
  await listening(port);
  return {
    pid: child.pid,
    address: `mqtt://127.0.0.1:${port}`,
    stop: async () => {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

export async function connectMosquitto(
  address: string,
  index: number,
): Promise<Line> {
  const topic = `line/${index}`;
  const reader: IClientOptions = { clientId: `reader-${index}`, clean: false };
  // The session is made, and stays when its client has gone.
  const before = await connectAsync(address, reader);
  await before.subscribeAsync(topic, { qos: 1 });
  await before.endAsync();
  const sender = await connectAsync(address, { clientId: `sender-${index}` });
  let recipient: MqttClient | undefined;
  return {
    send: async (number) => {
      const message = Buffer.from(numbered(number));
      await sender.publishAsync(topic, message, { qos: 1 });
    },
    listen: async (arrived) => {
      recipient = connect(address, reader);
      recipient.on("message", (_topic, message) => arrived(numberOf(message)));
      const connecting = recipient;
      await new Promise<void>((resolve) =>
        connecting.once("connect", () => resolve())
      );
    },
    close: async () => {
      await sender.endAsync();
      await recipient?.endAsync();
    },
  };
}
