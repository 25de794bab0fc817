import assert from "node:assert/strict";
import {
  closeSession,
  describeSession,
  parseSession,
  serializeSession,
  SignalError,
  WHISPER,
} from "./mod.ts";
import { LibsignalParty } from "./testing/libsignal_party.ts";
import { OurParty } from "./testing/our_party.ts";
import { introduce, type Party } from "./testing/party.ts";
import { hear, say, write } from "./testing/text.ts";

async function closed(other: Party) {
  const ours = await OurParty.create();
  await introduce(ours, other);
  await say(ours, other, "hello");
  const underWay = await write(other, ours.address, "written before");
  const session = closeSession(ours.session(other.address)!);
  ours.keep(other.address, session);
  return { ours, underWay, session };
}

Deno.test("a closed session sends nothing, and stays closed on disk", async () => {
  const other = await OurParty.create();
  const { ours, session } = await closed(other);
  const read = parseSession(serializeSession(session));
  for (const { closed } of [session, read].map(describeSession)) {
    assert.equal(closed, true);
  }
  await assert.rejects(
    write(ours, other.address, "anyone?"),
    new SignalError("no-session"),
  );
});

for (const party of ["libsignal", "our own"] as const) {
  const make = async () =>
    party === "libsignal" ? new LibsignalParty() : await OurParty.create();

  Deno.test(`what ${party} had under way opens a closed session again`, async () => {
    const other = await make();
    const { ours, underWay } = await closed(other);
    assert.equal(await hear(ours, other.address, underWay), "written before");
    assert.equal(
      describeSession(ours.session(other.address)!).closed,
      false,
    );
    const answer = await write(ours, other.address, "still here");
    assert.equal(answer.type, WHISPER);
    assert.equal(await hear(other, ours.address, answer), "still here");
  });

  Deno.test(`a new session with ${party} takes the place of a closed one, which still receives`, async () => {
    const other = await make();
    const { ours, underWay } = await closed(other);
    await introduce(ours, other);
    await say(ours, other, "anew");
    const info = describeSession(ours.session(other.address)!);
    assert.equal(info.closed, false);
    assert.equal(info.archivedStates, 1);
    assert.equal(await hear(ours, other.address, underWay), "written before");
  });
}
