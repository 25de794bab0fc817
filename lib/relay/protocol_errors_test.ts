import assert from "node:assert/strict";
import {
  type CommandBody,
  type ForwardedCommand,
  oneShotMessage,
  rendezvousMessage,
  type Signer,
  type UnsignedOneShot,
} from "../wire/mod.ts";
import { BlobKeys, PoolKeys } from "./testing/blob_keys.ts";
import {
  DOCUMENTED_ERRORS,
  documentedName,
} from "./testing/documented_errors.ts";
import {
  ForwardClient,
  meetCommand,
  postCommand,
  sealFor,
} from "./testing/forward_client.ts";
import {
  newCredentials,
  ok,
  randomBytes,
  randomSigner,
  RelayClient,
} from "./testing/relay_client.ts";
import {
  OTHER_URL,
  type TwoRelays,
  withTwoRelays,
} from "./testing/two_relays.ts";
import { type RelayWorld, withRelay } from "./testing/with_relay.ts";

const FREE = { workBits: 0, unauthorised: 1_000 };

type Enter = () => ReturnType<typeof RelayClient.inProcess>;

/** A handle or nameplate that nobody was given. */
const NONE = 99;

/** What answered what, as `command: error`. Whether the document has it, the clients of these tests see to. */
class Heard {
  readonly #pairs = new Set<string>();

  async by(client: RelayClient, ...commands: CommandBody[]): Promise<void> {
    for (const command of commands) {
      this.#note(command, await client.ask(command));
    }
  }

  async sealed(
    way: ForwardClient,
    ...commands: ForwardedCommand[]
  ): Promise<void> {
    for (const command of commands) {
      this.#note(command, await way.ask(command));
    }
  }

  /** Those of the document that did not come about. */
  get missing(): string[] {
    return [...DOCUMENTED_ERRORS].flatMap(([command, errors]) =>
      errors.map((error) => `${command}: ${error}`)
    ).filter((pair) => !this.#pairs.has(pair));
  }

  #note(
    asked: Parameters<typeof documentedName>[0],
    answer: { type: string; code?: string },
  ): void {
    if (answer.type !== "ERR") return;
    this.#pairs.add(`${documentedName(asked)}: ${answer.code}`);
  }
}

/** The same command with a signature that is nobody's. */
function forged<Signed>(command: Signed): Signed {
  return { ...command, signature: randomBytes(64) };
}

const send = (handle: number): CommandBody => ({
  type: "SEND",
  handle,
  id: randomBytes(16),
  envelope: new Uint8Array(480),
});

const pass = (handle: number, index: number): CommandBody => ({
  type: "PASS",
  handle,
  index,
  bytes: randomBytes(9),
});

/** All that is anonymous, with no work and no password. */
async function strangers(client: RelayClient): Promise<CommandBody[]> {
  client.hello = { ...client.hello, workBits: 0 };
  const party = await randomSigner();
  const pool = await PoolKeys.random();
  return [
    await client.newCommand(await newCredentials()),
    await client.openCommand(party),
    await client.joinCommand(party, NONE),
    await (await BlobKeys.random()).makeCommand(client),
    await pool.makeCommand(client, randomBytes(9), []),
    await ForwardClient.greetCommand(client, OTHER_URL),
    { type: "ACCESS", signature: randomBytes(64), work: 0n },
  ];
}

async function queues(heard: Heard, enter: Enter): Promise<void> {
  const client = await enter();
  const keys = await client.createQueue();
  const made = await client.newCommand(keys);
  const bind = await client.bindCommand(keys, "receive", 1);
  await heard.by(
    client,
    { ...made, receiveKey: randomBytes(32) } as CommandBody, // NEW has one
    await client.bindCommand(await newCredentials(), "send"),
    forged(bind),
    send(NONE),
    { type: "ACK", handle: NONE, seq: 1 },
    { type: "DEL", handle: NONE },
  );
  const outbox = await client.bind(keys, "send");
  const inbox = await client.bind(keys, "receive", 2);
  const [ack, del] = [
    { type: "ACK", handle: inbox, seq: 1 },
    { type: "DEL", handle: await client.bind(keys, "remove") },
  ] as const;
  await heard.by(
    client,
    bind, // of a lower generation
    send(inbox),
    { ...ack, handle: outbox },
    { ...del, handle: outbox },
    send(outbox),
    send(outbox), // one too many
  );
  const other = await enter();
  await other.bind(keys, "receive", 3);
  await heard.by(client, ack, del, send(outbox), ack);
  // Whose reader was not replaced before.
  await heard.by(other, { ...ack, handle: 1 });
}

async function blobs(heard: Heard, enter: Enter): Promise<void> {
  const client = await enter();
  const [keys, none] = [await BlobKeys.random(), await BlobKeys.random()];
  await keys.make(client, { bytes: 10 });
  const [five] = await keys.putCommands(client, 0, randomBytes(5));
  const [eleven] = await keys.putCommands(client, 0, randomBytes(11));
  ok(await client.ask(five));
  const [stale] = await keys.putCommands(client, 0, randomBytes(6));
  const [nowhere] = await none.putCommands(client, 0, randomBytes(5));
  const same = { bytes: 10, epoch: 1 };
  await heard.by(
    client,
    await keys.makeCommand(client, { bytes: 11 }),
    await (await keys.rekeyed()).makeCommand(client, same),
    await none.makeCommand(client, { bytes: 101 }),
    forged(await (await BlobKeys.random()).makeCommand(client, same)),
    ...[nowhere, forged(five), eleven, stale],
    ...[await none.stateCommand(client), await none.getCommand(client, 0)],
    ...[await none.dropCommand(client), await keys.getCommand(client, 0, 99)],
    forged(await keys.stateCommand(client)),
    forged(await keys.getCommand(client, 0)),
    forged(await keys.dropCommand(client)),
  );
}

async function pools(heard: Heard, enter: Enter): Promise<void> {
  const client = await enter();
  const keys = await PoolKeys.random();
  const none = await PoolKeys.random();
  const [small, large] = [randomBytes(9), randomBytes(51)];
  await keys.make(client, small, []);
  const another = new PoolKeys(none.takeKey, keys.own);
  await heard.by(
    client,
    await another.makeCommand(client, small, []), // the work paid for one
    await none.makeCommand(client, large, []),
    await none.makeCommand(client, small, [small, small]),
    forged(await (await PoolKeys.random()).makeCommand(client, small, [])),
    await none.fillCommand(client, 1, []),
    await keys.fillCommand(client, 9, []),
    await keys.fillCommand(client, 1, [large]),
    await keys.fillCommand(client, 1, [small, small]),
    forged(await keys.fillCommand(client, 1, [])),
    ...[await none.stateCommand(client), await none.takeCommand(client)],
    await none.dropCommand(client),
    forged(await keys.stateCommand(client)),
    forged(await keys.takeCommand(client)),
    forged(await keys.dropCommand(client)),
  );
}

async function rendezvous(heard: Heard, enter: Enter): Promise<void> {
  const client = await enter();
  const [opener, joiner, third] = [
    await randomSigner(),
    await randomSigner(),
    await randomSigner(),
  ];
  const { handle, nameplate } = await client.open(opener);
  await client.join(joiner, nameplate);
  const first = pass(handle, 0);
  ok(await client.ask(first));
  const other = await enter();
  await heard.by(
    client,
    forged(await client.openCommand(third)),
    forged(await client.joinCommand(third, nameplate)),
    await client.joinCommand(opener, nameplate),
    await client.joinCommand(third, nameplate),
    await other.joinCommand(third, nameplate ^ 1),
    ...[pass(NONE, 0), pass(handle, 0), pass(handle, 1)],
    { type: "CLOSE", handle: NONE },
    { type: "CLOSE", handle },
    pass(handle, 0),
    await client.openCommand(opener),
  );
  await heard.by(other, await other.joinCommand(third, nameplate ^ 1));
}

async function afar(heard: Heard, relays: TwoRelays): Promise<void> {
  const { own, other, dialler } = relays;
  const owner = await RelayClient.inProcess(other.relay);
  const queue = await owner.createQueue();
  await owner.bind(queue, "receive", 5);
  const opener = await randomSigner();
  const { handle, nameplate } = await owner.open(opener);
  ok(await owner.ask(pass(handle, 0)));
  const client = await RelayClient.inProcess(own.relay);
  for (const url of ["https://no.example", "https://forbidden.example"]) {
    await heard.by(client, await ForwardClient.greetCommand(client, url));
  }
  const way = await ForwardClient.greet(client, OTHER_URL);
  const label = randomBytes(16);
  const greet = await ForwardClient.greetCommand(client, OTHER_URL, label);
  const to = { type: "FWD", about: "to" } as const;
  const noise = randomBytes(502);
  await heard.by(
    client,
    greet, // one too many
    { ...greet, url: Uint8Array.of(0xff) } as CommandBody, // FWD has one
    { ...to, handle: NONE, sealed: noise },
    { ...to, handle: way.handle, sealed: noise },
    { type: "FWD", about: "here", sealed: noise },
    ...(["POST", "COLLECT", "REMOVE", "MEET"] as const)
      .map((type) => ({ type, body: noise })),
  );

  const { hello } = way;
  const sign = async (signer: Signer, unsigned: UnsignedOneShot) => {
    const { challenge, relayKey } = hello;
    const message = oneShotMessage(challenge, relayKey, unsigned);
    // The parts of one command, and its signature.
    return { ...unsigned, signature: await signer.sign(message) } as
      & ForwardedCommand
      & { signature: Uint8Array };
  };
  const post = (of = queue) =>
    postCommand(hello, of.id, of.send, randomBytes(16));
  const collect = (generation: number, of = queue) =>
    sign(of.receive, { type: "COLLECT", queue: of.id, generation, seq: 0 });
  const remove = (of = queue) =>
    sign(of.remove, { type: "REMOVE", queue: of.id });
  const none = await newCredentials();
  const joiner = await randomSigner();
  const meet = (act: "look" | "pass", index = 0, party = joiner) =>
    meetCommand(
      hello,
      party,
      nameplate,
      act,
      index,
      act === "pass" ? randomBytes(9) : undefined,
    );
  const join = {
    type: "JOIN",
    nameplate,
    publicKey: joiner.publicKey,
    signature: await joiner.sign(rendezvousMessage(
      hello.challenge,
      hello.relayKey,
      "join",
      nameplate,
      joiner.publicKey,
    )),
    work: 0n,
  } as const;
  await heard.sealed(
    way,
    ...[await post(none), forged(await post()), await post(), await post()],
    ...[await collect(1, none), forged(await collect(5)), await collect(4)],
    ...[await remove(none), forged(await remove())],
    await meet("look"), // not joined yet
    join,
    ...[forged(await meet("look")), await meet("pass")],
    ...[await meet("pass"), await meet("pass", 1)],
  );
  // What waits for an answer when the connection ends gets none.
  dialler.last?.pause();
  const { sealed } = sealFor(hello, await post());
  const waiting = heard.by(client, { ...to, handle: way.handle, sealed });
  ok(await client.ask({ type: "PING" }));
  dialler.last?.cut();
  await waiting;
}

/** FWD 2 whose answers nobody reads. */
async function unread(heard: Heard, enter: Enter): Promise<void> {
  const client = await enter();
  const { hello } = client;
  const here = () => ({
    type: "FWD" as const,
    about: "here" as const,
    sealed: sealFor(hello, { type: "PING" }).sealed,
  });
  client.pause();
  // The first is said, the second held, and for the third there is no room.
  const asked = [here(), here(), here()].map((one) => heard.by(client, one));
  while (client.unread() < 2 * 512) {
    await new Promise((resume) => setTimeout(resume, 1));
  }
  client.resume();
  await Promise.all(asked);
}

Deno.test("every error that the document says may answer a command does, and the clients of all these tests know no other", async () => {
  const heard = new Heard();
  const entrance = ({ relay }: RelayWorld): Enter => () =>
    RelayClient.inProcess(relay);
  await withRelay(async (world) => {
    const enter = entrance(world);
    for (const step of [queues, blobs, pools, rendezvous]) {
      await step(heard, enter);
    }
    // It forwards nothing.
    const client = await enter();
    await heard.by(
      client,
      await ForwardClient.greetCommand(client, OTHER_URL),
      { type: "FWD", about: "to", handle: 1, sealed: new Uint8Array(502) },
    );
  }, {
    ...FREE,
    messagesPerQueue: 1,
    bytesPerBlob: 100,
    bundlesPerPool: 1,
    bytesPerBundle: 50,
    passesPerSide: 1,
  });
  await withRelay(async (world) => {
    const client = await entrance(world)();
    const keys = await client.createQueue();
    await heard.by(client, await client.bindCommand(keys, "send"));
    await heard.by(client, ...await strangers(client));
  }, { ...FREE, queuesPerConnection: 0 });
  const secret = { access: "correct horse" };
  for (
    const { access, workBits } of [
      { ...secret, workBits: 0 },
      { ...secret, workBits: 24 },
      { access: undefined, workBits: 24 },
    ]
  ) {
    await withTwoRelays(async ({ own }) => {
      const client = await entrance(own)();
      await heard.by(client, ...await strangers(client));
    }, { own: { ...FREE, workBits }, access });
  }
  await withTwoRelays((relays) => afar(heard, relays), {
    own: { ...FREE, peersPerConnection: 1 },
    other: { ...FREE, messagesPerQueue: 1, passesPerSide: 1 },
    hosts: { deny: ["forbidden.example"] },
  });
  await withRelay((world) => unread(heard, entrance(world)), {
    ...FREE,
    bufferedBytes: 1,
    waitingBytesInAll: 1,
  });
  assert.deepEqual(heard.missing, []);
});
