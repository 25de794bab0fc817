import assert from "node:assert/strict";
import { x25519 } from "@noble/curves/ed25519.js";
import {
  type Command,
  type CommandBody,
  decodeForwardedReply,
  encodeForwarded,
  encodeUrl,
  type ForwardedCommand,
  type ForwardedReply,
  ForwardSeal,
  greetingKey,
  type Hello,
  type OneShotCommand,
  oneShotMessage,
  parseGreetOk,
  parseHello,
  type Signer,
  solveWork,
} from "../../wire/mod.ts";
import { documentedName, isDocumentedSealed } from "./documented_errors.ts";
import { ok, type RelayClient } from "./relay_client.ts";

/** A command sealed for the relay of a HELLO, and what opens the answer. */
export type Sealed = {
  sealed: Uint8Array;
  /** Fails the test for what the relay did not seal for this command. */
  open: (answer: Command) => ForwardedReply;
};

/** Seals a command for whoever said `hello`. `secretKey`: 32 bytes, new unless told otherwise. */
export function sealFor(
  hello: Hello,
  command: ForwardedCommand,
  secretKey?: Uint8Array,
): Sealed {
  const pair = x25519.keygen();
  const own = secretKey ?? pair.secretKey;
  const seal = new ForwardSeal(
    x25519.getSharedSecret(own, hello.dayKey),
    x25519.getPublicKey(own),
    hello,
  );
  return {
    sealed: seal.sealCommand(encodeForwarded(command)),
    open: (answer) => {
      const plain = seal.openReply(ok(answer));
      if (plain === undefined) throw new Error("not sealed for this command");
      return decodeForwardedReply(plain);
    },
  };
}

/** POST, signed for the relay of a HELLO. */
export async function postCommand(
  { challenge, relayKey }: Hello,
  queue: Uint8Array,
  send: Signer,
  id: Uint8Array,
  envelope: Uint8Array = new Uint8Array(480),
): Promise<OneShotCommand> {
  const unsigned = { type: "POST", queue, id, envelope } as const;
  const message = oneShotMessage(challenge, relayKey, unsigned);
  return { ...unsigned, signature: await send.sign(message) };
}

/** MEET, signed for the relay of a HELLO. */
export async function meetCommand(
  { challenge, relayKey }: Hello,
  party: Signer,
  nameplate: number,
  act: "look" | "pass" | "close",
  index = 0,
  bytes: Uint8Array = new Uint8Array(),
): Promise<OneShotCommand> {
  const { publicKey } = party;
  const rest = { nameplate, publicKey, act, index, bytes };
  const unsigned = { type: "MEET", ...rest } as const;
  const message = oneShotMessage(challenge, relayKey, unsigned);
  return { ...unsigned, signature: await party.sign(message) };
}

/** Another relay, as somebody reaches it through their own. */
export class ForwardClient {
  private constructor(
    readonly own: RelayClient,
    readonly handle: number,
    /** Of the other relay. */
    readonly hello: Hello,
  ) {}

  static async greetCommand(
    own: RelayClient,
    origin: string,
    label: Uint8Array = new Uint8Array(16),
  ): Promise<CommandBody> {
    const url = encodeUrl(origin);
    const { challenge, workBits: bits } = own.hello;
    const key = greetingKey({ label, url });
    const work = await solveWork({ challenge, type: "FWD", key, bits });
    return { type: "FWD", about: "greet", work, label, url };
  }

  static async greet(
    own: RelayClient,
    url: string,
    label?: Uint8Array,
  ): Promise<ForwardClient> {
    const command = await this.greetCommand(own, url, label);
    const { handle, hello } = parseGreetOk(ok(await own.ask(command)));
    return new ForwardClient(own, handle, await parseHello(hello));
  }

  /** Hands over what is sealed, and gives what the own relay answers. */
  pass(sealed: Uint8Array): Promise<Command> {
    return this.own.ask({
      type: "FWD",
      about: "to",
      handle: this.handle,
      sealed,
    });
  }

  /** Seals a command, and opens what the other relay answers. */
  async ask(command: ForwardedCommand): Promise<ForwardedReply> {
    const { sealed, open } = sealFor(this.hello, command);
    const reply = open(await this.pass(sealed));
    assert.ok(
      reply.type === "OK" || isDocumentedSealed(command, reply.code),
      `what answered ${documentedName(command)} is not documented`,
    );
    return reply;
  }

  async post(
    queue: Uint8Array,
    send: Signer,
    id: Uint8Array,
    envelope?: Uint8Array,
  ): Promise<ForwardedReply> {
    return await this.ask(
      await postCommand(this.hello, queue, send, id, envelope),
    );
  }
}
