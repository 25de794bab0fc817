import assert from "node:assert/strict";
import {
  ENVELOPE_SIZES,
  parseBindOk,
  parseReplacedDetail,
} from "../wire/mod.ts";
import {
  newCredentials,
  ok,
  randomBytes,
  refused,
  RelayClient,
} from "./testing/relay_client.ts";
import { withRelay } from "./testing/with_relay.ts";

const id = (n: number) => new Uint8Array(16).fill(n);

function numbered(n: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

Deno.test("a message goes from the holder of a send key to the holder of the receive key", () =>
  withRelay(async ({ relay }) => {
    const owner = await RelayClient.inProcess(relay);
    const keys = await owner.createQueue();
    const inbox = await owner.bind(keys, "receive", 1);
    const sender = await RelayClient.inProcess(relay);
    const outbox = await sender.bind(keys, "send");
    for (const size of ENVELOPE_SIZES) {
      const envelope = randomBytes(size);
      const transportId = randomBytes(16);
      const answer = sender.send(outbox, transportId, envelope);
      const message = await owner.message();
      assert.deepEqual([message.handle, message.id, message.envelope], [
        inbox,
        transportId,
        envelope,
      ]);
      ok(await answer);
      ok(await owner.ack(inbox, message.seq));
    }
  }));

Deno.test("messages wait in order for a recipient who is away, and come again until acknowledged", () =>
  withRelay(async (world) => {
    const owner = await RelayClient.inProcess(world.relay);
    const keys = await owner.createQueue();
    const outbox = await owner.bind(keys, "send");
    const sent = Array.from({ length: 700 }, (_, i) => numbered(i));
    for (
      const answer of owner.askAll(
        sent.map((id) => ({
          type: "SEND",
          handle: outbox,
          id,
          envelope: randomBytes(480),
        })),
      )
    ) {
      ok(await answer);
    }
    await owner.close();

    const receive = async (count: number, from: number) => {
      const reader = await RelayClient.inProcess(world.relay);
      const inbox = await reader.bind(keys, "receive", 1);
      let last = -1;
      for (let i = 0; i < count; i++) {
        const message = await reader.message();
        assert.deepEqual(message.id, sent[from + i]);
        assert.ok(message.seq > last, "seq rises");
        last = message.seq;
      }
      return { reader, inbox, last };
    };

    const first = await receive(700, 0);
    await first.reader.close(); // nothing acknowledged
    const second = await receive(700, 0);
    assert.equal(second.last, first.last, "a message keeps its seq");
    await second.reader.close();
    const third = await receive(300, 0);
    ok(await third.reader.ack(third.inbox, third.last));
    third.reader.cut();
    const fourth = await receive(400, 300);
    await fourth.reader.close();
    await world.restart();
    const fifth = await receive(400, 300);
    ok(await fifth.reader.ack(fifth.inbox, fifth.last));
    await fifth.reader.close();
    await world.restart();
    const sixth = await RelayClient.inProcess(world.relay);
    await sixth.bind(keys, "receive", 1);
    ok(await sixth.ask({ type: "PING" }));
    assert.deepEqual(sixth.pushes, [], "nothing comes a second time");
  }));

Deno.test("seq never falls, whatever was acknowledged before a restart", () =>
  withRelay(async (world) => {
    let keys = await newCredentials();
    let last = 0;
    for (let round = 0; round < 4; round++) {
      const client = await RelayClient.inProcess(world.relay);
      if (round === 0) keys = await client.createQueue();
      const inbox = await client.bind(keys, "receive", 1);
      const outbox = await client.bind(keys, "send");
      // One round takes more than one block of the persisted counter.
      for (let i = 0; i < (round === 1 ? 30 : 1); i++) {
        const answers = client.askAll(
          Array.from({ length: 50 }, () => ({
            type: "SEND",
            handle: outbox,
            id: randomBytes(16),
            envelope: new Uint8Array(480),
          })),
        );
        for (let j = 0; j < 50; j++) {
          const { seq } = await client.message();
          assert.ok(seq > last);
          last = seq;
        }
        // Acknowledged at once, so that many never reach the disk.
        ok(await client.ack(inbox, last));
        for (const answer of answers) ok(await answer);
      }
      await client.close();
      await world.restart();
    }
  }, { framesPerSecond: 100_000 }));

Deno.test("a repeated id is OK and stored once: under way, stored, and after it was read", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const keys = await client.createQueue();
    const outbox = await client.bind(keys, "send");
    const first = [client.send(outbox, id(1)), client.send(outbox, id(1))];
    for (const answer of await Promise.all(first)) ok(answer);
    ok(await client.send(outbox, id(1)));
    await client.close();
    await world.restart();

    const again = await RelayClient.inProcess(world.relay);
    const outboxAgain = await again.bind(keys, "send");
    ok(await again.send(outboxAgain, id(1)));
    ok(await again.send(outboxAgain, id(2)));
    const inbox = await again.bind(keys, "receive", 1);
    const messages = [await again.message(), await again.message()];
    assert.deepEqual(messages.map((message) => message.id), [id(1), id(2)]);
    ok(await again.ack(inbox, messages[1].seq));
    ok(await again.send(outboxAgain, id(1)));
    ok(await again.send(outboxAgain, id(3)));
    assert.deepEqual((await again.message()).id, id(3));
  }));

Deno.test("acknowledging is cumulative, may be repeated, and never touches what came later", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const keys = await client.createQueue();
    const outbox = await client.bind(keys, "send");
    const inbox = await client.bind(keys, "receive", 1);
    const seqs: number[] = [];
    for (let i = 0; i < 5; i++) {
      ok(await client.send(outbox, id(i)));
      seqs.push((await client.message()).seq);
    }
    ok(await client.ack(inbox, seqs[2]));
    ok(await client.ack(inbox, seqs[2]));
    ok(await client.ack(inbox, seqs[0]));
    assert.equal(
      await client.bind(keys, "receive", 1),
      inbox,
      "the same BIND, the same handle",
    );
    assert.deepEqual(
      [(await client.message()).id, (await client.message()).id],
      [id(3), id(4)],
      "pushed again",
    );
    ok(await client.ack(inbox, 2 ** 48 - 1));
    ok(await client.send(outbox, id(9)));
    assert.deepEqual((await client.message()).id, id(9));
  }));

Deno.test("NEW is idempotent for its three keys and a conflict for others under the same send key", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const keys = await newCredentials();
    const command = await client.newCommand(keys);
    for (const answer of client.askAll([command, command])) ok(await answer);
    const handle = await client.bind(keys, "send");
    ok(await client.send(handle, id(1)));
    ok(await client.ask(command));
    const thief = { ...await newCredentials(), send: keys.send };
    refused(await client.ask(await client.newCommand(thief)), "conflict");
    refused(
      await client.ask(
        await client.newCommand({ ...keys, remove: thief.remove }),
      ),
      "conflict",
    );
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    ok(await later.ask(await later.newCommand(keys)));
    await later.bind(keys, "receive", 1);
    assert.deepEqual((await later.message()).id, id(1));
  }));

Deno.test("two connections that make the same queue at once both have it", () =>
  withRelay(async ({ relay }) => {
    const clients = await Promise.all([
      RelayClient.inProcess(relay),
      RelayClient.inProcess(relay),
    ]);
    const keys = await newCredentials();
    const commands = await Promise.all(
      clients.map((client) => client.newCommand(keys)),
    );
    const answers = await Promise.all(
      clients.map((client, i) => client.ask(commands[i])),
    );
    answers.forEach(ok);
    const outbox = await clients[0].bind(keys, "send");
    await clients[1].bind(keys, "receive", 1);
    ok(await clients[0].send(outbox, id(1)));
    assert.deepEqual((await clients[1].message()).id, id(1));
  }));

Deno.test("work that is missing is refused with its price", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    assert.equal(client.hello.workBits, 12);
    client.hello = { ...client.hello, workBits: 1 };
    const keys = await newCredentials();
    // One in 2^11 of these would be enough by chance: three in a row is none.
    const answers = [];
    for (let i = 0; i < 3; i++) {
      answers.push(
        await client.ask(await client.newCommand(await newCredentials())),
      );
    }
    const refusal = answers.find((answer) => answer.type === "ERR");
    assert.ok(refusal !== undefined);
    assert.deepEqual(refused(refusal, "work"), Uint8Array.of(12));
    client.hello = { ...client.hello, workBits: 12 };
    ok(await client.ask(await client.newCommand(keys)));
  }, { workBits: 12 }));

Deno.test("BIND needs the key of the role, of this queue, signed for this connection", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const keys = await client.createQueue();
    const other = await client.createQueue();
    const wrongKey = { ...keys, send: keys.receive };
    refused(
      await client.ask(await client.bindCommand(wrongKey, "send")),
      "unauthorised",
    );
    refused(
      await client.ask(
        await client.bindCommand({ ...other, id: keys.id }, "receive", 1),
      ),
      "unauthorised",
    );
    const elsewhere = await RelayClient.inProcess(relay);
    refused(
      await elsewhere.ask(await client.bindCommand(keys, "send")),
      "unauthorised",
    );
    const receive = await client.bindCommand(keys, "receive", 1);
    assert.ok(receive.type === "BIND");
    refused(await client.ask({ ...receive, generation: 2 }), "unauthorised");
    refused(
      await client.ask({ ...receive, role: "remove", generation: 0 }),
      "unauthorised",
    );
    const unknown = await newCredentials();
    refused(
      await client.ask(await client.bindCommand(unknown, "send")),
      "no-such-queue",
    );
    ok(await client.ask(receive));
  }));

Deno.test("a handle serves its role only, and only on its connection", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const keys = await client.createQueue();
    const send = await client.bind(keys, "send");
    const receive = await client.bind(keys, "receive", 1);
    const remove = await client.bind(keys, "remove");
    refused(await client.send(receive, id(1)), "unauthorised");
    refused(await client.send(remove, id(1)), "unauthorised");
    refused(await client.ack(send, 1), "unauthorised");
    refused(await client.ask({ type: "DEL", handle: receive }), "unauthorised");
    refused(await client.pass(send, 0, id(1)), "unknown-handle");
    refused(
      await client.ask({ type: "CLOSE", handle: send }),
      "unknown-handle",
    );
    const other = await RelayClient.inProcess(relay);
    refused(await other.send(send, id(1)), "unknown-handle");
    refused(await other.ack(receive, 1), "unknown-handle");
    refused(await other.ask({ type: "DEL", handle: remove }), "unknown-handle");
  }));

Deno.test("a higher generation takes the queue over, a lower one is told which holds it", () =>
  withRelay(async (world) => {
    const first = await RelayClient.inProcess(world.relay);
    const keys = await first.createQueue();
    const outbox = await first.bind(keys, "send");
    const firstInbox = await first.bind(keys, "receive", 5);
    ok(await first.send(outbox, id(1)));
    assert.equal((await first.message()).type, "MSG");

    const second = await RelayClient.inProcess(world.relay);
    const secondInbox = await second.bind(keys, "receive", 6);
    assert.deepEqual(
      (await second.message()).id,
      id(1),
      "what the first did not acknowledge",
    );
    assert.deepEqual(await first.push(), {
      type: "REPLACED",
      request: 0,
      handle: firstInbox,
    });
    const detail = refused(await first.ack(firstInbox, 1_000), "replaced");
    assert.deepEqual(parseReplacedDetail(detail), { generation: 6 });
    refused(
      await first.ask(await first.bindCommand(keys, "receive", 5)),
      "replaced",
    );
    ok(await first.send(outbox, id(2)));
    const message = await second.message();
    assert.deepEqual(message.id, id(2));
    assert.deepEqual(first.pushes, []);
    ok(await second.ack(secondInbox, message.seq));

    await world.restart();
    const third = await RelayClient.inProcess(world.relay);
    const low = refused(
      await third.ask(await third.bindCommand(keys, "receive", 5)),
      "replaced",
    );
    assert.deepEqual(parseReplacedDetail(low), { generation: 6 });
    const answer = await third.ask(await third.bindCommand(keys, "receive", 7));
    assert.deepEqual(parseBindOk(ok(answer)), { handle: 1 });
  }));

Deno.test("the same generation takes over from a connection that is half-open", () =>
  withRelay(async ({ relay }) => {
    const before = await RelayClient.inProcess(relay);
    const keys = await before.createQueue();
    const handle = await before.bind(keys, "receive", 1);
    const after = await RelayClient.inProcess(relay);
    await after.bind(keys, "receive", 1);
    assert.deepEqual(await before.push(), {
      type: "REPLACED",
      request: 0,
      handle,
    });
    const outbox = await after.bind(keys, "send");
    ok(await after.send(outbox, id(1)));
    assert.deepEqual((await after.message()).id, id(1));
    await before.close();
    ok(await after.send(outbox, id(2)));
    assert.deepEqual(
      (await after.message()).id,
      id(2),
      "the end of the older one changes nothing",
    );
  }));

Deno.test("the remove key deletes a queue with all that waits in it, for everybody, for good", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const keys = await client.createQueue();
    const outbox = await client.bind(keys, "send");
    const inbox = await client.bind(keys, "receive", 1);
    const sends = client.askAll(
      Array.from(
        { length: 50 },
        (_, i) => ({
          type: "SEND",
          handle: outbox,
          id: id(i),
          envelope: randomBytes(480),
        }),
      ),
    );
    for (const answer of sends) ok(await answer);
    const last = client.send(outbox, id(99));

    const owner = await RelayClient.inProcess(world.relay);
    const remove = await owner.bind(keys, "remove");
    ok(await owner.ask({ type: "DEL", handle: remove }));
    ok(await owner.ask({ type: "DEL", handle: remove }));
    assert.match((await last).type, /OK|ERR/);
    refused(await client.send(outbox, id(100)), "no-such-queue");
    refused(await client.ack(inbox, 1), "no-such-queue");
    refused(
      await client.ask(await client.bindCommand(keys, "receive", 1)),
      "no-such-queue",
    );
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    refused(
      await later.ask(await later.bindCommand(keys, "remove")),
      "no-such-queue",
    );
    ok(await later.ask(await later.newCommand(keys)));
    await later.bind(keys, "receive", 1);
    ok(await later.ask({ type: "PING" }));
    assert.deepEqual(later.pushes, [], "a queue made again is empty");
  }));

Deno.test("many queues are bound in few frames, and used in the same connection", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const queues = [];
    for (let i = 0; i < 40; i++) queues.push(await newCredentials());
    const news = await Promise.all(
      queues.map((keys) => client.newCommand(keys)),
    );
    const binds = await Promise.all(
      queues.map((keys) => client.bindCommand(keys, "send")),
    );
    // NEW and BIND of one queue may follow each other without waiting.
    const answers = await Promise.all(
      client.askAll(news.flatMap((command, i) => [command, binds[i]])),
    );
    const handles = answers.filter((_, i) => i % 2 === 1).map((answer) =>
      parseBindOk(ok(answer)).handle
    );
    assert.equal(new Set(handles).size, 40);
    for (const handle of handles) ok(await client.send(handle, id(1)));
  }));

Deno.test("NOP is silent, PING is answered", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    ok(await client.ask({ type: "PING" }));
    client.raw(Uint8Array.from({ length: 512 }, (_, i) => i === 0 ? 0x41 : 0));
    ok(await client.ask({ type: "PING" }));
  }));
