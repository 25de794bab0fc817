/** Who is meant and who it is, against official libsignal. */
import assert from "node:assert/strict";
import * as L from "@signalapp/libsignal-client";
import { SignalError } from "./mod.ts";
import { LibsignalParty } from "./testing/libsignal_party.ts";
import { OurParty } from "./testing/our_party.ts";
import { introduce, type Party, randomAddress } from "./testing/party.ts";
import { refuses } from "./testing/refusal.ts";
import { inBothRoles } from "./testing/roles.ts";
import { hear, say, write } from "./testing/text.ts";

/** The same address with an empty device: another identity key, no session. */
function reinstalled(party: Party): Promise<Party> {
  return party instanceof OurParty
    ? OurParty.create(party.address)
    : Promise.resolve(new LibsignalParty(party.address));
}

inBothRoles(
  "someone who begins anew under another identity key is noticed, and the talk goes on",
  async ({ initiator, responder }) => {
    await introduce(initiator, responder);
    await say(initiator, responder, "hello");
    await say(responder, initiator, "hello you");
    assert.equal(responder.identityChanges, 0);
    const again = await reinstalled(initiator);
    await introduce(again, responder);
    await say(again, responder, "a new phone");
    assert.equal(responder.identityChanges, 1);
    await say(responder, again, "is it you?");
    await say(again, responder, "it is me");
    assert.equal(responder.identityChanges, 1);
  },
);

inBothRoles(
  "an identity key that is not trusted opens nothing, and the session with the known one stays",
  async ({ initiator, responder }) => {
    await introduce(initiator, responder);
    await say(initiator, responder, "hello");
    await say(responder, initiator, "hello you");
    responder.trustsNewKeys = false;
    const impostor = await reinstalled(initiator);
    await introduce(impostor, responder);
    const claim = await write(impostor, responder.address, "a new phone");
    await refuses(
      responder.receive(initiator.address, claim),
      "identity changed",
    );
    assert.equal(responder.identityChanges, 0);
    await say(initiator, responder, "still me");
    await say(responder, initiator, "good");
    responder.trustsNewKeys = true;
    assert.equal(
      await hear(responder, initiator.address, claim),
      "a new phone",
    );
    assert.equal(responder.identityChanges, 1);
  },
);

inBothRoles(
  "a bundle under another identity key is noticed before anything is sent",
  async ({ initiator, responder }) => {
    await introduce(initiator, responder);
    await say(initiator, responder, "hello");
    await say(responder, initiator, "hello you");
    const again = await reinstalled(responder);
    const bundle = await again.publish({ oneTime: true });
    initiator.trustsNewKeys = false;
    await refuses(initiator.begin(again.address, bundle), "identity changed");
    await say(initiator, responder, "in the session that was");
    initiator.trustsNewKeys = true;
    await initiator.begin(again.address, bundle);
    assert.equal(initiator.identityChanges, 1);
    await say(initiator, again, "hello again");
    await say(again, initiator, "hello");
    assert.equal(again.identityChanges, 0);
  },
);

inBothRoles(
  "messages of the key before the change are still read where their session is held",
  async ({ initiator, responder }) => {
    await introduce(initiator, responder);
    await say(initiator, responder, "hello");
    await say(responder, initiator, "hello you");
    const late = await write(initiator, responder.address, "late");
    const again = await reinstalled(initiator);
    await introduce(again, responder);
    await say(again, responder, "a new phone");
    assert.equal(await hear(responder, initiator.address, late), "late");
  },
);

inBothRoles(
  "a first message names its sender and recipient: for or by any other it is refused",
  async ({ initiator, responder }) => {
    const { serviceId, deviceId } = responder.address;
    const bundle = await responder.publish({ oneTime: false });
    for (const wrong of [randomAddress(), { serviceId, deviceId: 9 }]) {
      // The initiator believes to write to `wrong`, under the responder's keys.
      await initiator.begin(wrong, { ...bundle, deviceId: wrong.deviceId });
      const misdirected = await write(initiator, wrong, "misdirected");
      await refuses(
        responder.receive(initiator.address, misdirected),
        "invalid",
      );
    }
    await initiator.begin(responder.address, { ...bundle, deviceId });
    const directed = await write(initiator, responder.address, "directed");
    for (
      const sender of [randomAddress(), { ...initiator.address, deviceId: 9 }]
    ) {
      await refuses(responder.receive(sender, directed), "invalid");
    }
    assert.equal(
      await hear(responder, initiator.address, directed),
      "directed",
    );
  },
);

inBothRoles(
  "a UUID names the same in capitals",
  async ({ initiator, responder }) => {
    const { serviceId, deviceId } = responder.address;
    const shouted = { serviceId: serviceId.toUpperCase(), deviceId };
    await initiator.begin(shouted, await responder.publish({ oneTime: true }));
    const message = await write(initiator, shouted, "hello");
    assert.equal(await hear(responder, initiator.address, message), "hello");
  },
);

Deno.test("a phone-number identity is another name; a first message without names is accepted", async () => {
  const ours = await OurParty.create();
  const address = randomAddress();
  const phone = new LibsignalParty(address, `PNI:${address.serviceId}`);
  await introduce(phone, ours);
  await assert.rejects(
    ours.receive(address, await write(phone, ours.address, "by number")),
    new SignalError("wrong-address"),
  );
  const unnamed = new LibsignalParty(randomAddress(), "+12025550123");
  await introduce(unnamed, ours);
  await say(unnamed, ours, "without names");
});

inBothRoles(
  "one account's devices have sessions of their own, and one's messages are nothing to the other",
  async ({ initiator, responder }) => {
    const { serviceId } = responder.address;
    const second = responder instanceof OurParty
      ? await OurParty.create(
        { serviceId, deviceId: 2 },
        responder.local.identity,
      )
      : new LibsignalParty(
        { serviceId, deviceId: 2 },
        serviceId,
        (responder as LibsignalParty).identity,
      );
    for (const device of [responder, second]) {
      await introduce(initiator, device);
      await say(initiator, device, "to this device");
      await say(device, initiator, "from this device");
    }
    const message = await write(initiator, responder.address, "to the first");
    await refuses(second.receive(initiator.address, message), "invalid");
    assert.equal(
      await hear(responder, initiator.address, message),
      "to the first",
    );
    assert.equal(initiator.identityChanges, 0);
  },
);

Deno.test("the devices of one account talk to each other", async () => {
  const serviceId = crypto.randomUUID();
  const identity = L.PrivateKey.generate();
  const ours = await OurParty.create({ serviceId, deviceId: 1 }, {
    privateKey: identity.serialize(),
    publicKey: identity.getPublicKey().serialize(),
  });
  const theirs = new LibsignalParty(
    { serviceId, deviceId: 2 },
    serviceId,
    identity,
  );
  for (const [a, b] of [[ours, theirs], [theirs, ours]] as const) {
    await introduce(a, b);
    for (let i = 0; i < 3; i++) {
      await say(a, b, "note to self");
      await say(b, a, "noted");
    }
  }
});
