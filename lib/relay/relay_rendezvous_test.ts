import assert from "node:assert/strict";
import {
  ok,
  randomBytes,
  randomSigner,
  refused,
  RelayClient,
} from "./testing/relay_client.ts";
import { withRelay } from "./testing/with_relay.ts";

const MINUTE = 60_000;

Deno.test("two parties meet by a nameplate, pass each other bytes, and close", () =>
  withRelay(async ({ relay, clock }) => {
    const inviter = await RelayClient.inProcess(relay);
    const opened = await inviter.open(await randomSigner());
    assert.ok(opened.nameplate < 2 ** 20);
    assert.equal(opened.expires, clock.now + 5 * MINUTE);
    const first = randomBytes(200);
    ok(await inviter.pass(opened.handle, 0, first));

    const joiner = await RelayClient.inProcess(relay);
    const joined = await joiner.join(await randomSigner(), opened.nameplate);
    assert.equal(joined.expires, opened.expires);
    assert.deepEqual(await joiner.push(), {
      type: "PASS",
      request: 0,
      handle: joined.handle,
      index: 0,
      bytes: first,
    });
    const largest = randomBytes(16_000);
    ok(await joiner.pass(joined.handle, 0, largest));
    assert.deepEqual(await inviter.push(), {
      type: "PASS",
      request: 0,
      handle: opened.handle,
      index: 0,
      bytes: largest,
    });
    ok(await inviter.ask({ type: "CLOSE", handle: opened.handle }));
    assert.deepEqual(await joiner.push(), {
      type: "CLOSE",
      request: 0,
      handle: joined.handle,
    });
    ok(await joiner.ask({ type: "CLOSE", handle: joined.handle }));
    refused(await joiner.pass(joined.handle, 1, first), "no-such-rendezvous");
  }));

Deno.test("either side comes back, also after a restart of the relay, and is told everything again", () =>
  withRelay(async (world) => {
    const [opener, guest] = [await randomSigner(), await randomSigner()];
    const before = await RelayClient.inProcess(world.relay);
    const { nameplate, expires, handle } = await before.open(opener);
    const passes = [randomBytes(10), randomBytes(600)];
    ok(await before.pass(handle, 0, passes[0]));
    ok(await before.pass(handle, 1, passes[1]));
    const joiner = await RelayClient.inProcess(world.relay);
    const joined = await joiner.join(guest, nameplate);
    ok(await joiner.pass(joined.handle, 0, passes[0]));

    const elsewhere = await RelayClient.inProcess(world.relay);
    const resumed = await elsewhere.open(opener);
    assert.deepEqual([resumed.nameplate, resumed.expires], [
      nameplate,
      expires,
    ]);
    const again = await elsewhere.push();
    assert.ok(again.type === "PASS");
    assert.deepEqual(again.bytes, passes[0]);
    refused(await before.pass(handle, 2, passes[0]), "unknown-handle");

    await world.restart();
    const restarted = await RelayClient.inProcess(world.relay);
    const back = await restarted.join(guest, nameplate);
    assert.equal(back.expires, expires);
    const told = [await restarted.push(), await restarted.push()];
    assert.deepEqual(
      told.map((push) => push.type === "PASS" && push.bytes),
      passes,
    );
    ok(await restarted.pass(back.handle, 0, passes[0]));
    refused(await restarted.pass(back.handle, 0, passes[1]), "conflict");
    const openedAgain = await restarted.open(opener);
    assert.equal(openedAgain.nameplate, nameplate);
  }));

Deno.test("what was passed is told after a crash too, while it is in the journal alone and when it is in its place", async () => {
  // A journal that never puts anything in its place while the relay runs, and one that always has.
  for (const rest of [1e9, 0]) {
    await withRelay(
      async (world) => {
        const [opener, guest] = [await randomSigner(), await randomSigner()];
        const client = await RelayClient.inProcess(world.relay);
        const { nameplate, handle } = await client.open(opener);
        const passes = [randomBytes(10), randomBytes(600)];
        ok(await client.pass(handle, 0, passes[0]));
        ok(await client.pass(handle, 1, passes[1]));
        const joined = await client.join(guest, nameplate);
        ok(await client.pass(joined.handle, 5, passes[1]));

        await world.crash();
        const later = await RelayClient.inProcess(world.relay);
        const back = await later.join(guest, nameplate);
        const told = [await later.push(), await later.push()];
        assert.deepEqual(
          told.map((push) => push.type === "PASS" && push.bytes),
          passes,
        );
        refused(await later.pass(back.handle, 5, passes[0]), "conflict");
        await later.open(opener);
        const answer = await later.push();
        assert.ok(answer.type === "PASS");
        assert.deepEqual([answer.index, answer.bytes], [5, passes[1]]);
      },
      {},
      { journal: { rest } },
    );
  }
});

Deno.test("the same bytes may be passed twice, other bytes under the same index are a conflict", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const { handle } = await client.open(await randomSigner());
    const twice = client.askAll([
      { type: "PASS", handle, index: 7, bytes: Uint8Array.of(1) },
      { type: "PASS", handle, index: 7, bytes: Uint8Array.of(1) },
      { type: "PASS", handle, index: 7, bytes: Uint8Array.of(2) },
    ]);
    ok(await twice[0]);
    ok(await twice[1]);
    refused(await twice[2], "conflict");
    ok(await client.pass(handle, 7, Uint8Array.of(1)));
  }));

Deno.test("a nameplate is for two: a third is told it is taken, the opener's own key is a conflict", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const opener = await randomSigner();
    const { nameplate, handle } = await client.open(opener);
    refused(
      await client.ask(await client.joinCommand(opener, nameplate)),
      "conflict",
    );
    const guests = [await randomSigner(), await randomSigner()];
    await client.join(guests[0], nameplate);
    refused(
      await client.ask(await client.joinCommand(guests[1], nameplate)),
      "taken",
    );
    await client.join(guests[0], nameplate);
    ok(await client.ask({ type: "CLOSE", handle }));
    ok(await client.ask({ type: "CLOSE", handle }));
    refused(
      await client.ask(await client.joinCommand(guests[0], nameplate)),
      "taken",
    );
    refused(
      await client.ask(await client.openCommand(opener)),
      "no-such-rendezvous",
    );
  }));

Deno.test("a rendezvous ends after five minutes, and its nameplate rests before others get it", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const opener = await randomSigner();
    const guest = await randomSigner();
    const { nameplate, handle } = await client.open(opener);
    const join = await client.joinCommand(guest, nameplate);
    world.clock.now += 5 * MINUTE - 1;
    ok(await client.pass(handle, 0, Uint8Array.of(1)));
    world.clock.now += 1;
    refused(
      await client.pass(handle, 1, Uint8Array.of(1)),
      "no-such-rendezvous",
    );
    refused(await client.ask(join), "no-such-rendezvous");
    refused(
      await client.ask(await client.openCommand(opener)),
      "no-such-rendezvous",
    );
    world.clock.now += 10 * MINUTE;
    world.relay.sweep();
    refused(await client.pass(handle, 1, Uint8Array.of(1)), "unknown-handle");
    await client.open(opener);
  }));

Deno.test("closing outlives a restart", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const { nameplate, handle } = await client.open(await randomSigner());
    ok(await client.pass(handle, 0, Uint8Array.of(1)));
    ok(await client.ask({ type: "CLOSE", handle }));
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    refused(
      await later.ask(await later.joinCommand(await randomSigner(), nameplate)),
      "taken",
    );
    assert.deepEqual(later.pushes, []);
  }));

Deno.test("OPEN and JOIN need their work and a signature for this connection", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const other = await RelayClient.inProcess(relay);
    const opener = await randomSigner();
    const open = await client.openCommand(opener);
    assert.ok(open.type === "OPEN");
    refused(
      await client.ask({ ...open, signature: new Uint8Array(64) }),
      "unauthorised",
    );
    const { nameplate } = await client.open(opener);
    const join = await client.joinCommand(await randomSigner(), nameplate);
    assert.ok(join.type === "JOIN");
    refused(
      await client.ask({ ...join, nameplate: nameplate ^ 1 }),
      "unauthorised",
    );
    const foreign = await other.ask(join);
    assert.ok(
      foreign.type === "ERR" && ["work", "unauthorised"].includes(foreign.code),
    );
    refused(
      await client.ask(
        await client.joinCommand(await randomSigner(), nameplate ^ 1),
      ),
      "no-such-rendezvous",
    );
    ok(await client.ask(join));
  }));

Deno.test("one proof of work pays for one nameplate, and repeats of it do not raise the price", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const mine = await client.open(await randomSigner());
    const theirs = await client.open(await randomSigner());
    const guesser = await RelayClient.inProcess(relay);
    const party = await randomSigner();
    const first = await guesser.joinCommand(party, mine.nameplate);
    const second = await guesser.joinCommand(party, theirs.nameplate);
    assert.ok(first.type === "JOIN" && second.type === "JOIN");
    ok(await guesser.ask(first));
    refused(await guesser.ask({ ...second, work: first.work }), "conflict");
    for (let i = 0; i < 8; i++) ok(await guesser.ask(first));
    const { workBits } = (await RelayClient.inProcess(relay)).hello;
    assert.equal(workBits, guesser.hello.workBits);
    // The nameplate that was not paid for is still there for who was invited.
    await client.join(await randomSigner(), theirs.nameplate);
  }, { anonymousPerMinute: 6 }));
