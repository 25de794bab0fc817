/**
 * A program that has all that a device had, and does as it likes with it: nothing of the honest one runs in
 * it. It has the disk, and every envelope that the device was ever given.
 */
import assert from "node:assert/strict";
import { bytesToHex, randomBytes } from "@noble/hashes/utils.js";
import { encrypt, parseSession, serializeSession } from "../../signal/mod.ts";
import { decodeFrame, ENVELOPE_SIZES, queueId } from "../../wire/mod.ts";
import { conversationOf, openContact, queuesOf } from "../contact.ts";
import {
  ANNOUNCEMENT,
  type Carried,
  type KnownBody,
  MAX_SIGNAL_MESSAGE,
  newContent,
  newContentId,
  openEnvelope,
  sealEnvelope,
} from "../content/mod.ts";
import { type Announced, signAnnouncement } from "../devices/announcement.ts";
import { encodeSync, type Sync } from "../devices/sync.ts";
import {
  type Address,
  addressOf,
  type DeviceList,
  parseQueue,
  type QueueCredentials,
} from "../keys/mod.ts";
import { type Connection, RelayError } from "../link/mod.ts";
import { openAccount, type OwnAccount } from "../own_account.ts";
import { sessionName } from "../outbox.ts";
import { bindQueue, bindQueues, createQueue } from "../queues.ts";
import {
  accountTable,
  contactsTable,
  contactTable,
  ownDevicesTable,
  queueTable,
  relayTable,
  SELF,
  sessionTable,
} from "../records.ts";
import { Vault } from "../storage/mod.ts";
import { onConnection } from "./backup_at_relay.ts";
import type { Moment, Person, World } from "./world.ts";

/** Envelopes that the device `person` is given from now on. */
export function givenTo(person: Person): Uint8Array[] {
  const envelopes: Uint8Array[] = [];
  person.onMoment = (moment) => {
    if (moment.at === "frame" && moment.way === "in") {
      for (const command of decodeFrame(moment.frame)) {
        if (command.type === "MSG") envelopes.push(command.envelope);
      }
    }
    return false;
  };
  return envelopes;
}

/** Transport ids of what goes to somebody's queue in a frame, hex. */
export function sentIn(moment: Moment): string[] {
  if (moment.at !== "frame" || moment.way === "in") return [];
  return decodeFrame(moment.frame).flatMap((command) =>
    command.type === "SEND" ? bytesToHex(command.id) : []
  );
}

/** Beyond what the most envelopes of a full queue are. */
const MOST = 550;
const TOGETHER = 16;

/** Times of announcements: of now, of a while after, and the last that there is. */
const LATER = [1, 86_400_000, 8_640_000_000_000_000];

interface Loot {
  readonly account: OwnAccount;
  /** By which the other devices of the account reached it, and then those that contacts write to. */
  readonly queues: readonly QueueCredentials[];
  /** Of the other devices of the account. */
  readonly siblings: readonly Address[];
  /** Of the contact. */
  readonly contact: {
    readonly accountId: string;
    readonly deviceList: DeviceList;
    readonly conversation: string;
    readonly addresses: readonly Address[];
  };
  /** Of itself. */
  readonly own: Address;
  /** Where the contact reached the account, whichever device reads there. */
  readonly shared: readonly { at: Address; queue: QueueCredentials }[];
  readonly selfConversation: string;
}

export class HostileDevice {
  readonly #world: World;
  readonly #given: readonly Uint8Array[];
  readonly #sessions: Map<string, Uint8Array>;
  /** Transport ids of what it put anywhere, hex. */
  readonly #own = new Set<string>();
  readonly loot: Loot;

  private constructor(
    world: World,
    given: readonly Uint8Array[],
    loot: Loot,
    sessions: Map<string, Uint8Array>,
  ) {
    this.#world = world;
    this.#given = given;
    this.loot = loot;
    this.#sessions = sessions;
  }

  /** Of a device that does not run any more. */
  static async of(
    world: World,
    { disk }: Person,
    given: readonly Uint8Array[],
  ): Promise<HostileDevice> {
    const vault = await Vault.open(disk.platform());
    assert.ok(vault instanceof Vault);
    const stored = await vault.get(accountTable, SELF);
    const devices = await vault.get(ownDevicesTable, SELF);
    const relay = await vault.get(relayTable, SELF);
    const { ids } = await vault.get(contactsTable, SELF) ?? { ids: [] };
    const record = await vault.get(contactTable, ids[0]);
    assert.ok(stored && devices && relay && record);
    const account = await openAccount(stored);
    const contact = await openContact(record);
    const names = [devices.queue, ...queuesOf(record)];
    const kept = await vault.getMany(queueTable, names);
    const queues = await Promise.all(kept.map((queue) => {
      assert.ok(queue);
      return parseQueue(queue.credentials);
    }));
    const sessions = new Map<string, Uint8Array>();
    for (
      const { accountId, deviceList } of [account, {
        accountId: record.accountId,
        deviceList: contact.deviceList,
      }]
    ) {
      for (const { id } of deviceList.devices) {
        const name = sessionName(accountId, id);
        const session = await vault.get(sessionTable, name);
        if (session) sessions.set(name, session);
      }
    }
    await vault.close();
    assert.ok(contact.accountAddress);
    const { accountId, accountKey } = account;
    const self = await openContact({
      ...record,
      accountId,
      accountKey,
      deviceList: account.deviceList.bytes,
      devices: [...devices.others],
    });
    return new HostileDevice(world, given, {
      account,
      queues,
      siblings: self.devices.map(({ address }) => address),
      contact: {
        accountId: record.accountId,
        deviceList: contact.deviceList,
        conversation: record.conversation,
        addresses: [
          ...contact.devices.map(({ address }) => address),
          contact.accountAddress,
        ],
      },
      own: addressOf(queues[0], relay),
      shared: queues.slice(2).map((queue) => ({
        at: addressOf(queue, relay),
        queue,
      })),
      selfConversation: conversationOf(accountId, accountId),
    }, sessions);
  }

  /** All the ways that it knew. */
  get ways(): readonly Address[] {
    const { siblings, contact, shared } = this.loot;
    return [...siblings, ...contact.addresses, ...shared.map(({ at }) => at)];
  }

  /** What it was ever given, out of the envelopes. */
  get heard(): readonly Carried[] {
    return this.#given.flatMap((envelope) => {
      for (const { send, sealKey } of this.loot.queues) {
        try {
          const queue = queueId(send.publicKey);
          return [openEnvelope({ sealKey, queue }, envelope).message];
        } catch {
          continue; // it came by another of them
        }
      }
      return [];
    });
  }

  /** Makes its queues anew, and those of the account. */
  async makesQueues(): Promise<void> {
    await onConnection(this.#world, async (connection) => {
      for (const queue of this.loot.queues) {
        await createQueue(connection, queue)
          .catch(passed); // it is there, with the keys of somebody else
      }
    });
  }

  /** Puts these where each of `ways` leads, under the device id `from`. */
  async puts(
    ways: readonly Address[],
    from: number,
    messages: readonly Carried[],
  ): Promise<void> {
    await onConnection(this.#world, async (connection) => {
      for (const { send: pair, sealKey } of ways) {
        const queue = queueId(pair.publicKey);
        const envelopes = messages.map((message) =>
          sealEnvelope({ sealKey, queue }, from, message)
        );
        await this.#pour(connection, { pair, queue }, envelopes);
      }
    });
  }

  /** As much as the relay takes: what looks like a message of the device `from`, and what looks like nothing. */
  async fills(ways: readonly Address[], from: number): Promise<number> {
    let most = 0;
    await onConnection(this.#world, async (connection) => {
      for (const { send: pair, sealKey } of ways) {
        const queue = queueId(pair.publicKey);
        const bytes = randomBytes(MAX_SIGNAL_MESSAGE);
        const message = { type: 2, bytes } as const;
        const envelopes = [
          sealEnvelope({ sealKey, queue }, from, message),
          randomBytes(Math.max(...ENVELOPE_SIZES)),
        ];
        const all = Array.from({ length: MOST }, (_, i) => envelopes[i % 2]);
        most = Math.max(
          most,
          await this.#pour(connection, { pair, queue }, all),
        );
      }
    });
    return most;
  }

  /** An announcement signed with its own key, as if it were the device `id`. */
  announcement(
    to: string,
    id: number,
    how: Partial<Announced> = {},
  ): Carried {
    const { account, own } = this.loot;
    const { accountId, successions, deviceList, device } = account;
    const bytes = signAnnouncement({
      from: accountId,
      to,
      time: this.#world.clock.now() + 1,
      successions,
      deviceList,
      address: own,
      accountAddress: own,
      backupVersion: 0x7fff_0000,
      bundles: new Map(),
      heard: { deviceList: deviceList.bytes, backupVersion: 0x7fff_0000 },
      ...how,
    }, { ...device, id });
    return { type: ANNOUNCEMENT, bytes };
  }

  /** What it may announce of itself, and of others: ever later, by the list that it knew and by this one. */
  announcements(to: string, present: DeviceList): Carried[] {
    const { account, siblings } = this.loot;
    const ids = account.deviceList.devices.map(({ id }) => id);
    const now = this.#world.clock.now();
    return [account.deviceList, present].flatMap((deviceList) =>
      ids.flatMap((id) =>
        LATER.flatMap((later) => {
          const time = Math.min(now + later, LATER[2]);
          return [
            this.announcement(to, id, { deviceList, time }),
            this.announcement(to, id, {
              deviceList,
              time,
              address: siblings[0],
            }),
          ];
        })
      )
    );
  }

  /** Encrypted in a session that it had; nothing where it had none. */
  async inSession(
    accountId: string,
    to: number,
    conversation: string,
    body: KnownBody,
  ): Promise<Carried[]> {
    const { account, contact } = this.loot;
    const name = sessionName(accountId, to);
    const session = this.#sessions.get(name);
    if (!session) return [];
    const own = accountId === account.accountId;
    const { devices } = own ? account.deviceList : contact.deviceList;
    const now = this.#world.clock.now();
    const { version, hash } = account.deviceList;
    const { bytes: plaintext } = newContent({
      conversation,
      id: newContentId(),
      time: now,
      expiry: 0,
      deviceList: { version, hash: hash.slice(0, 8) },
      backupVersion: 0x7fff_0000,
    }, body);
    const encrypted = await encrypt({
      local: account.local,
      remote: { serviceId: accountId, deviceId: to },
      session: parseSession(session),
      identityKey: devices.find(({ id }) => id === to)?.identityKey,
      plaintext,
      now,
    });
    this.#sessions.set(name, serializeSession(encrypted.session));
    return [encrypted.message];
  }

  /** What it tells a sibling in the session that they had. */
  tells(to: number, sync: Sync): Promise<Carried[]> {
    const { account: { accountId }, selfConversation } = this.loot;
    const body = { kind: "sync", bytes: encodeSync(sync) } as const;
    return this.inSession(accountId, to, selfConversation, body);
  }

  /** Sends until the relay takes no more; gives how many it took. */
  async #pour(
    connection: Connection,
    { pair, queue }: { pair: Address["send"]; queue: Uint8Array },
    envelopes: readonly Uint8Array[],
  ): Promise<number> {
    let taken = 0;
    try {
      const handle = await bindQueue(connection, { role: "send", pair, queue });
      for (let at = 0; at < envelopes.length; at += TOGETHER) {
        await Promise.all(
          envelopes.slice(at, at + TOGETHER).map(async (envelope) => {
            const id = randomBytes(16);
            this.#own.add(bytesToHex(id));
            await connection.request({ type: "SEND", handle, id, envelope });
            taken++;
          }),
        );
      }
    } catch (error) {
      passed(error);
    }
    return taken;
  }

  /** What others put into its queues, those of the account that it made anew among them. */
  async reads(): Promise<Carried[]> {
    const { loot: { queues } } = this;
    return await onConnection(this.#world, async (connection) => {
      const heard: Carried[] = [];
      for (const { receive: pair, send, sealKey } of queues) {
        const queue = queueId(send.publicKey);
        // Heard from the frame on that grants it.
        await bindQueues(connection, [{
          role: "receive",
          pair,
          queue,
          generation: 9_000,
        }], (_, handle) =>
          connection.listen(handle, (push) => {
            if (push.type !== "MSG") return;
            if (!this.#own.has(bytesToHex(push.id))) {
              const key = { sealKey, queue };
              heard.push(openEnvelope(key, push.envelope).message);
            }
            connection.request({ type: "ACK", handle, seq: push.seq })
              .catch(passed);
          }));
      }
      await new Promise<void>((resolve) =>
        this.#world.clock.after(1_000, resolve)
      );
      return heard;
    });
  }
}

/** What the relay refuses, it refuses. */
function passed(error: unknown): void {
  if (!(error instanceof RelayError)) throw error;
}
