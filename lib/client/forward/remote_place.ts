import {
  type Act,
  type Ed25519Pair,
  type ForwardedCommand,
  type Hello,
  oneShotMessage,
  parseJoinOk,
  parseMeetOk,
  rendezvousMessage,
  signEd25519,
} from "../../wire/mod.ts";
import type { Clock } from "../clock.ts";
import { type Push, RelayError } from "../link/mod.ts";
import { withWork } from "../queues.ts";
import type { Place } from "../rendezvous.ts";
import type { RemoteRelay } from "./remote_relay.ts";

/** How often who has joined looks whether the other side passed something, in ms. */
const LOOK_MS = 700;

/** The same while the other relay can't be asked. */
const LOOK_AGAIN_MS = 3_000;

/** Joins a rendezvous at another relay, or comes back to it. Rejects as `RemoteRelay.ask` does. */
export async function joinRemote(
  remote: RemoteRelay,
  pair: Ed25519Pair,
  nameplate: number,
  clock: Clock,
): Promise<Place> {
  await remote.greet();
  const { publicKey } = pair;
  const body = await withWork(
    remote,
    "JOIN",
    publicKey,
    (work) =>
      remote.ask(async ({ challenge, relayKey }) => ({
        type: "JOIN",
        nameplate,
        publicKey,
        signature: await signEd25519(
          pair,
          rendezvousMessage(challenge, relayKey, "join", nameplate, publicKey),
        ),
        work,
      })),
  );
  const { expires } = remote.read(() => parseJoinOk(body));
  return new RemotePlace(remote, pair, nameplate, expires, clock);
}

/** A place at a rendezvous of another relay, which pushes nothing: one looks again and again. */
class RemotePlace implements Place {
  readonly #remote: RemoteRelay;
  readonly #pair: Ed25519Pair;
  readonly #clock: Clock;
  #listener: ((push: Push) => void) | undefined;
  #next = 0;
  #cancelLook: () => void = () => {};

  constructor(
    remote: RemoteRelay,
    pair: Ed25519Pair,
    readonly nameplate: number,
    readonly expires: number,
    clock: Clock,
  ) {
    this.#remote = remote;
    this.#pair = pair;
    this.#clock = clock;
  }

  listen(listener: (push: Push) => void): void {
    this.#listener = listener;
    this.#look();
  }

  async pass(
    { index, bytes }: { index: number; bytes: Uint8Array },
  ): Promise<void> {
    await this.#remote.ask((hello) => this.#meet(hello, "pass", index, bytes));
  }

  async close(): Promise<void> {
    await this.#remote.ask((hello) => this.#meet(hello, "close"));
  }

  leave(): void {
    this.#listener = undefined;
    this.#cancelLook();
  }

  #look(): void {
    this.#left().then(
      () => this.#again(LOOK_MS),
      (error: unknown) => {
        if (!(error instanceof RelayError)) return; // the connection is lost: the next one looks again
        if (error.code !== "no-such-rendezvous") {
          return this.#again(LOOK_AGAIN_MS);
        }
        this.#listener?.({ type: "CLOSE", handle: 0 });
        this.leave();
      },
    );
  }

  #again(ms: number): void {
    if (!this.#listener) return;
    this.#cancelLook = this.#clock.after(ms, () => this.#look());
  }

  async #left(): Promise<void> {
    const body = await this.#remote.ask((hello) =>
      this.#meet(hello, "look", this.#next)
    );
    const left = this.#remote.read(() => parseMeetOk(body));
    for (const { index, bytes } of left) {
      this.#next = Math.max(this.#next, index + 1);
      this.#listener?.({ type: "PASS", handle: 0, index, bytes });
    }
  }

  async #meet(
    { challenge, relayKey }: Hello,
    act: Act,
    index = 0,
    bytes: Uint8Array = new Uint8Array(),
  ): Promise<ForwardedCommand> {
    const { publicKey } = this.#pair;
    const { nameplate } = this;
    const rest = { nameplate, publicKey, act, index, bytes };
    const unsigned = { type: "MEET", ...rest } as const;
    const message = oneShotMessage(challenge, relayKey, unsigned);
    return { ...unsigned, signature: await signEd25519(this.#pair, message) };
  }
}
