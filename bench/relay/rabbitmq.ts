/** RabbitMQ as who must not lose messages uses it: durable queues, persistent messages, publisher confirms, manual acknowledgements. */
import { Buffer } from "node:buffer";
import { connect } from "amqplib";
import { type Line, numbered, numberOf, type Server } from "./line.ts";
import { descendant, freePort, listening } from "./process.ts";

const SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/** Needs Debian's package `rabbitmq-server`. Everything it writes lies in `directory`. */
export async function startRabbitMq(directory: string): Promise<Server> {
  const [port, nodePort, mapperPort] = [freePort(), freePort(), freePort()];
  // Erlang's port mapper would stay behind as a daemon: this one is ours to end.
  const mapper = new Deno.Command("epmd", {
    args: ["-address", "127.0.0.1", "-port", String(mapperPort)],
    stdout: "null",
    stderr: "null",
  }).spawn();
  await listening(mapperPort);
  const child = new Deno.Command(SERVER, {
    env: {
      HOME: directory,
      ERL_EPMD_ADDRESS: "127.0.0.1",
      ERL_EPMD_PORT: String(mapperPort),
      RABBITMQ_CONF_ENV_FILE: "/dev/null",
      RABBITMQ_NODENAME: "bench@localhost",
      RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(nodePort),
      RABBITMQ_MNESIA_BASE: `${directory}/data`,
      RABBITMQ_LOG_BASE: `${directory}/log`,
      RABBITMQ_ENABLED_PLUGINS_FILE: `${directory}/plugins`,
    },
    stdout: "null",
    stderr: "null",
  }).spawn();
  await listening(port);
  const pid = await descendant(child.pid, "beam.smp");
  if (pid === undefined) throw new Error("RabbitMQ has no beam.smp");
  return {
    pid,
    address: `amqp://127.0.0.1:${port}`,
    stop: async () => {
      Deno.kill(pid, "SIGTERM");
      await child.status;
      mapper.kill("SIGTERM");
      await mapper.status;
    },
  };
}

export async function connectRabbitMq(
  address: string,
  index: number,
): Promise<Line> {
  const queue = `line-${index}`;
  const sending = await connect(address, { noDelay: true });
  const receiving = await connect(address, { noDelay: true });
  const out = await sending.createConfirmChannel();
  const into = await receiving.createChannel();
  await out.assertQueue(queue, { durable: true });
  return {
    send: (number) =>
      new Promise((resolve, reject) =>
        out.sendToQueue(
          queue,
          Buffer.from(numbered(number)),
          { persistent: true },
          (error: unknown) => error ? reject(error) : resolve(),
        )
      ),
    listen: async (arrived) => {
      await into.prefetch(1_000);
      await into.consume(queue, (message) => {
        if (message === null) throw new Error("RabbitMQ ended the consumer");
        arrived(numberOf(message.content));
        into.ack(message);
      });
    },
    close: async () => {
      await Promise.all([sending.close(), receiving.close()]);
    },
  };
}
