/** A messenger without a screen, on a disk in memory, over real WebSockets. */
import { systemClock } from "../../lib/client/clock.ts";
import {
  unknownNetwork,
  webSocketTransport,
} from "../../lib/client/link/mod.ts";
import { Messenger } from "../../lib/client/messenger.ts";
import { systemRandom } from "../../lib/client/random.ts";
import { MemoryDisk, MemoryTabs } from "../../lib/client/storage/mod.ts";
import { quickStretch } from "../../lib/client/testing/test_secrets.ts";
import { effect } from "@preact/signals-core";
import { PATIENCE } from "./browser.ts";

/** Somebody with a new account at the relay of an origin, online. */
export async function headlessPerson(
  origin: string,
  name: string,
): Promise<Messenger> {
  const disk = new MemoryDisk();
  const messenger = await Messenger.open({
    openPlatform: () => Promise.resolve(disk.platform()),
    tab: new MemoryTabs().tab(),
    relaySocketUrl: `${origin.replace("http", "ws")}/relay`,
    transport: webSocketTransport,
    network: unknownNetwork,
    clock: systemClock,
    // No jitter, so that nobody has to wait for it.
    random: { bytes: systemRandom.bytes, fraction: () => 0.05 },
    stretch: quickStretch,
    passkeys: undefined,
  });
  await (await messenger.newAccount(name)).commit();
  await until(() => messenger.connection.value.at === "online");
  return messenger;
}

/** Resolves when signals read by `holds` make it true; rejects when nothing does for long. */
export async function until(holds: () => boolean): Promise<void> {
  const held = Promise.withResolvers<void>();
  const late = setTimeout(
    () => held.reject(new Error(`It never came true: ${holds}`)),
    PATIENCE,
  );
  const dispose = effect(() => {
    if (holds()) held.resolve();
  });
  try {
    await held.promise;
  } finally {
    clearTimeout(late);
    dispose();
  }
}

/** `joiner` enters a code of `inviter`'s, whose relay is at `host`. Both have the conversation then. */
export async function meetAcross(
  inviter: Messenger,
  host: string,
  joiner: Messenger,
): Promise<void> {
  await inviter.invite.generate();
  const offer = inviter.invite.offer.value;
  if (offer.at !== "waiting") throw new Error(`no code: ${offer.at}`);
  const before = [inviter, joiner].map(({ conversations }) =>
    conversations.value.length
  );
  await joiner.invite.connect(`${offer.code}@${host}`);
  await until(() =>
    [inviter, joiner].every(({ conversations }, i) =>
      conversations.value.length > before[i]
    )
  );
}
