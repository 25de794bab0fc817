import {
  type BlobCommand,
  blobId,
  type Command,
  poolId,
  proofMessage,
  verifyEd25519,
} from "../wire/mod.ts";
import { textOf } from "./byte_text.ts";
import { NO_SUCH_BLOB, type Reply, UNAUTHORISED } from "./reply.ts";
import { isAdmitted, isPaid, type Visit } from "./visit.ts";

/** What of one connection may be under way to the disk before the next of its commands waits. */
const MOST_UNDER_WAY = 16;

type Making = Command & { type: "PUT"; about: "blob" | "pool" };

/**
 * PUT, GET, DROP and TAKE of one connection. Each is proven by its own signature over the challenge:
 * no handle is needed, so that another relay can pass them on.
 */
export class BlobCommands {
  readonly #visit: Visit;
  readonly #underWay = new Set<Promise<void>>();

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  async put(command: Command & { type: "PUT" }): Promise<void> {
    const { blobs, pools } = this.#visit.context;
    switch (command.about) {
      case "blob":
      case "pool":
        return await this.#make(command);
      case "chunk": {
        const key = (await blobs.find(command.blob))?.writeKey;
        return await this.#prove(
          command,
          key,
          (key) => blobs.put(command, key),
        );
      }
      case "bundles": {
        const key = (await pools.find(command.pool))?.ownKey;
        return await this.#prove(command, key, () => pools.fill(command));
      }
    }
  }

  async get(command: Command & { type: "GET" }): Promise<void> {
    const { blobs, pools } = this.#visit.context;
    switch (command.about) {
      case "chunk": {
        // What this connection wrote before, it reads; and no more than its socket takes.
        await Promise.all(this.#underWay);
        await this.#visit.outlet.roomAgain();
        const key = (await blobs.find(command.blob))?.readKey;
        await this.#prove(command, key, () => blobs.get(command));
        await Promise.all(this.#underWay);
        return;
      }
      case "blob": {
        const { id } = command;
        const key = (await blobs.find(id))?.writeKey;
        return await this.#prove(command, key, (key) => blobs.state(id, key));
      }
      case "pool": {
        const { id } = command;
        const key = (await pools.find(id))?.ownKey;
        return await this.#prove(command, key, () => pools.state(id));
      }
    }
  }

  async drop(command: Command & { type: "DROP" }): Promise<void> {
    const { blobs, pools } = this.#visit.context;
    const shelf = command.about === "blob" ? blobs : pools;
    const key = (await shelf.find(command.id))?.ownKey;
    await this.#prove(command, key, () => shelf.drop(command.id));
  }

  async take(command: Command & { type: "TAKE" }): Promise<void> {
    const { pools } = this.#visit.context;
    const key = (await pools.find(command.pool))?.takeKey;
    await this.#prove(
      command,
      key,
      () => pools.take(command.pool, command.id),
    );
  }

  async #make(command: Making): Promise<void> {
    const { context, payments } = this.#visit;
    const { blobs, pools } = context;
    if (!isAdmitted(this.#visit, command.request)) return;
    const [id, bytes] = command.about === "blob"
      ? [blobId(command.readKey, command.ownKey), command.bytes]
      : [poolId(command.takeKey, command.ownKey), 0];
    const payment = {
      type: command.type,
      key: command.ownKey,
      work: command.work,
      purpose: `${textOf(id)}${bytes}`,
      extra: blobs.surcharge(bytes),
      weight: blobs.weight(bytes),
    };
    if (!isPaid(this.#visit, command.request, payment)) return;
    await this.#prove(command, command.ownKey, () => {
      payments.spend(payment);
      return command.about === "blob"
        ? blobs.make(command)
        : pools.make(command);
    });
  }

  /** Does what is asked if the key signed it, and does not wait for its end, unless much is under way. */
  async #prove(
    command: Command & BlobCommand,
    key: Uint8Array | undefined,
    task: (key: Uint8Array) => Promise<Reply>,
  ): Promise<void> {
    const { context, challenge } = this.#visit;
    if (key === undefined) return this.#reply(command.request, NO_SUCH_BLOB);
    const message = proofMessage(challenge, context.relayKey, command);
    if (!await verifyEd25519(key, message, command.signature)) {
      return this.#reply(command.request, UNAUTHORISED);
    }
    const running: Promise<void> = task(key).then(
      (reply) => this.#reply(command.request, reply),
      (error: unknown) => {
        context.failed(error);
        this.#reply(command.request, { error: "busy" });
      },
    ).finally(() => this.#underWay.delete(running));
    this.#underWay.add(running);
    if (this.#underWay.size >= MOST_UNDER_WAY) {
      await Promise.race(this.#underWay);
    }
  }

  #reply(request: number, reply: Reply): void {
    const { connection } = this.#visit;
    if ("ok" in reply) connection.ok(request, reply.ok);
    else connection.answer(request, reply.error, reply.detail);
  }
}
