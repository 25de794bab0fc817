import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Command,
  COMMAND_TYPES,
  type CommandBody,
  encodeFrame,
  ENVELOPE_SIZES,
  FRAME_SIZES,
  type Unsigned,
} from "../wire/mod.ts";
import { memorySocketPair } from "./memory_socket.ts";
import { BlobKeys, PoolKeys, signed } from "./testing/blob_keys.ts";
import { ok, randomBytes, RelayClient } from "./testing/relay_client.ts";
import { withRelay } from "./testing/with_relay.ts";
import { anyBlobCommand } from "../wire/testing/any_blob_command.ts";
import { anyForwardCommand } from "../wire/testing/any_forward_command.ts";

const RUNS = Deno.env.get("SLOW") === "1" ? 3_000 : 250;

const bytes = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size });
const handle = fc.oneof(fc.nat(6), fc.nat(0xffff_ffff));
const request = fc.nat(0xffff);
const work = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** Commands of the right shape that mean anything. */
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    type: fc.constantFrom("HELLO", "OK", "POST", "MEET", "COLLECT", "REMOVE"),
    request,
    body: bytes(40),
  }),
  fc.record({
    type: fc.constant("NEW"),
    request,
    receiveKey: bytes(32),
    sendKey: bytes(32),
    removeKey: bytes(32),
    work,
  }),
  fc.record({
    type: fc.constant("BIND"),
    request,
    role: fc.constantFrom("receive"),
    queue: bytes(16),
    generation: fc.nat(),
    signature: bytes(64),
  }),
  fc.record({
    type: fc.constant("SEND"),
    request,
    handle,
    id: bytes(16),
    envelope: fc.constantFrom(...ENVELOPE_SIZES.slice(0, 3)).chain(bytes),
  }),
  fc.record({
    type: fc.constant("ACK"),
    request,
    handle,
    seq: fc.nat({ max: 2 ** 48 - 1 }),
  }),
  fc.record({
    type: fc.constantFrom("DEL", "CLOSE", "REPLACED"),
    request,
    handle,
  }),
  fc.record({
    type: fc.constant("OPEN"),
    request,
    publicKey: bytes(32),
    signature: bytes(64),
    work,
  }),
  fc.record({
    type: fc.constant("JOIN"),
    request,
    nameplate: fc.nat(0xfffff),
    publicKey: bytes(32),
    signature: bytes(64),
    work,
  }),
  fc.record({
    type: fc.constant("PASS"),
    request,
    handle,
    index: fc.nat(255),
    bytes: fc.uint8Array({ maxLength: 300 }),
  }),
  fc.record({ type: fc.constantFrom("PING", "NOP"), request }),
  fc.record({
    type: fc.constant("ACCESS"),
    request,
    signature: bytes(64),
    work,
  }),
  anyBlobCommand,
  anyForwardCommand,
);

/** Frames: of commands, of commands with damage, of noise. */
const frame: fc.Arbitrary<Uint8Array | string> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.array(command, { minLength: 1, maxLength: 3 }).map((
      commands,
    ) => encodeFrame(commands)[0]),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(command, fc.nat(600), fc.nat(255)).map(
      ([one, at, value]) => {
        const [damaged] = encodeFrame([one]);
        damaged[at % damaged.length] = value;
        return damaged;
      },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom(...FRAME_SIZES.slice(0, 3), 511),
      fc.constantFrom(...Object.values(COMMAND_TYPES)),
    ).map(
      ([size, type]) => {
        const noise = randomBytes(size);
        noise[0] = type;
        return noise;
      },
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
);

Deno.test("whatever connections say, each request has at most one answer, and a bystander's mail goes through", () =>
  withRelay(async (world) => {
    const bystander = await RelayClient.inProcess(world.relay);
    const keys = await bystander.createQueue();
    const outbox = await bystander.bind(keys, "send");
    const inbox = await bystander.bind(keys, "receive", 1);
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 8 }), async (frames) => {
        const { client, relay } = memorySocketPair();
        let ended: string | undefined;
        client.listen({
          message: () => {},
          close: (_code, reason) => ended = reason,
          drained: () => {},
        });
        world.relay.accept(relay);
        for (const data of frames) client.send(data);

        const id = randomBytes(16);
        const sent = bystander.send(outbox, id);
        const message = await bystander.message();
        assert.deepEqual(message.id, id);
        ok(await sent);
        ok(await bystander.ack(inbox, message.seq));
        if (ended !== undefined) {
          assert.notEqual(ended, "", "a connection is closed with a reason");
        }
        client.close(1000, "");
        world.clock.now += 1_000;
      }),
      { numRuns: RUNS },
    );
    while (world.relay.connections > 1) {
      await new Promise((resume) => setTimeout(resume, 1));
    }
    assert.deepEqual(world.lines, [], "no error of the relay's own");
  }, { workBits: 0, anonymousPerMinute: 1_000_000 }));

Deno.test("one who holds real handles cannot break the relay with them either", () =>
  withRelay(async (world) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 5, maxLength: 20 }),
        async (commands) => {
          const client = await RelayClient.inProcess(world.relay);
          const keys = await client.createQueue();
          for (
            const role of ["send", "receive", "remove"] as const
          ) await client.bind(keys, role);
          const bodies = commands.filter(({ type }) =>
            !["HELLO", "OK", "REPLACED"].includes(type)
          );
          for (const answer of await Promise.all(client.askAll(bodies))) {
            assert.ok(["OK", "ERR"].includes(answer.type));
          }
          await client.close();
          world.clock.now += 1_000;
          world.relay.sweep();
        },
      ),
      { numRuns: RUNS / 5 },
    );
    assert.deepEqual(world.lines, []);
  }, { workBits: 0, anonymousPerMinute: 1_000_000 }));

Deno.test("one who holds real keys of blobs and pools cannot break the relay or another's with them", () =>
  withRelay(async (world) => {
    const bystander = await RelayClient.inProcess(world.relay);
    const [theirs, pool] = [await BlobKeys.random(), await PoolKeys.random()];
    const contents = randomBytes(40_000);
    await theirs.make(bystander);
    await theirs.put(bystander, 0, contents);
    await pool.make(bystander, randomBytes(40), [randomBytes(40)]);
    const keys = await BlobKeys.random();
    const pools = await PoolKeys.random();
    await keys.make(bystander);
    /** The same command about a blob or pool of one's own, or by chance another's, well signed. */
    const own = async (
      client: RelayClient,
      command: Unsigned,
      stray: boolean,
    ): Promise<CommandBody> => {
      const [blob, id] = stray ? [theirs.id, pool.id] : [keys.id, pools.id];
      if (command.type === "TAKE") {
        return await signed(client, { ...command, pool: id }, pools.takeKey);
      }
      if (command.type === "PUT" && command.about === "blob") {
        return await keys.makeCommand(client, {
          epoch: command.epoch % 3,
          bytes: command.bytes % 100_000,
          lifetime: command.lifetime,
        });
      }
      if (command.type === "PUT" && command.about === "pool") {
        const { lastResort, bundles } = command;
        return await pools.makeCommand(client, lastResort, bundles);
      }
      if (command.about === "bundles") {
        const base = command.base % 4;
        return await signed(client, { ...command, pool: id, base }, pools.own);
      }
      if (command.about === "chunk") {
        const signer = command.type === "GET" ? keys.read : keys.write;
        const version = command.type === "GET"
          ? { version: command.version % 4 }
          : { base: command.base % 4, draft: new Uint8Array(16) };
        return await signed(client, { ...command, blob, ...version }, signer);
      }
      const [name, signer] = command.about === "blob"
        ? [blob, command.type === "GET" ? keys.write : keys.own]
        : [id, pools.own];
      return await signed(client, { ...command, id: name }, signer);
    };
    const script = fc.array(
      fc.tuple(anyBlobCommand, fc.nat(9).map((n) => n === 0)),
      { minLength: 5, maxLength: 15 },
    );
    const answered = new Set<string>();
    await fc.assert(
      fc.asyncProperty(script, async (drawn) => {
        const client = await RelayClient.inProcess(world.relay);
        const bodies: CommandBody[] = [];
        for (const [command, stray] of drawn) {
          // anyBlobCommand draws nothing else.
          bodies.push(await own(client, command as Unsigned, stray));
        }
        for (const answer of await Promise.all(client.askAll(bodies))) {
          answered.add(answer.type === "ERR" ? answer.code : answer.type);
        }
        await client.close();
        world.clock.now += 1_000;
      }),
      { numRuns: RUNS / 5 },
    );
    assert.ok(answered.has("OK") && answered.has("no-such-blob"));
    assert.ok(answered.has("unauthorised") && answered.has("conflict"));
    const last = await RelayClient.inProcess(world.relay);
    assert.deepEqual(await theirs.contents(last), contents);
    assert.equal((await pool.state(last)).bundles.length, 1);
    assert.deepEqual(world.lines, []);
  }, { workBits: 0, anonymousPerMinute: 1_000_000, unauthorised: 1_000 }));
