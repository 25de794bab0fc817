/** What every platform promises, and the vault on top of it. */
import { generateKeyPair } from "../../signal/mod.ts";
import { type ContractCase, refused, same } from "./contract_case.ts";
import {
  StorageUnavailableError,
  TakenOverError,
  VaultStateError,
  WrongKeyError,
} from "./errors.ts";
import type { Platform } from "./store.ts";
import { table } from "./table.ts";
import { Vault } from "./vault.ts";

/** A disk of its own for every case; each `open` is one more page on it. */
export interface PlatformSubject {
  open(): Promise<Platform>;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const [a, b, c] = ["a", "b", "c"].map(bytes);

const notes = table<string>("notes", {
  encode: bytes,
  decode: (encoded) => new TextDecoder().decode(encoded),
});

export const PLATFORM_CONTRACT: readonly ContractCase<PlatformSubject>[] = [
  {
    name:
      "values come back in the order of the keys, undefined where there is none",
    async run({ open }) {
      const { store } = await open();
      await store.commit([{ key: a, value: bytes("1") }, {
        key: c,
        value: bytes("3"),
      }]);
      same(await store.get([c, b, a, c]), [
        bytes("3"),
        undefined,
        bytes("1"),
        bytes("3"),
      ]);
      same(await store.get([]), []);
    },
  },
  {
    name:
      "what was committed is there for the next page, what was removed is not",
    async run({ open }) {
      const { store } = await open();
      await store.commit([{ key: a, value: bytes("1") }, {
        key: b,
        value: bytes("2"),
      }]);
      await store.commit([{ key: a, value: undefined }, {
        key: b,
        value: new Uint8Array(),
      }]);
      store.close();
      const next = await open();
      same(await next.store.get([a, b]), [undefined, new Uint8Array()]);
    },
  },
  {
    name:
      "a value is stored as it was at the commit, and alone when it is part of a larger buffer",
    async run({ open }) {
      const { store } = await open();
      const buffer = bytes("0123456789");
      const committed = store.commit([{
        key: buffer.subarray(0, 2),
        value: buffer.subarray(3, 5),
      }]);
      await committed;
      buffer.fill(0);
      const [value] = await store.get([bytes("01")]);
      same(value, bytes("34"));
      same(value?.buffer.byteLength, 2);
    },
  },
  {
    name: "the page that opened last is the only one that can write",
    async run({ open }) {
      const first = await open();
      await first.store.commit([{ key: a, value: bytes("1") }]);
      const second = await open();
      await refused(
        first.store.commit([{ key: a, value: bytes("2") }]),
        TakenOverError,
      );
      await refused(first.store.clear(), TakenOverError);
      await refused(first.deviceKey.forget(), TakenOverError);
      await refused(first.deviceKey.wrap(b), TakenOverError);
      await second.store.commit([{ key: b, value: bytes("3") }]);
      same(await first.store.get([a, b]), [bytes("1"), bytes("3")]);
    },
  },
  {
    name: "a scan gives all entries once, in the order of their keys",
    async run({ open }) {
      const { store } = await open();
      same(await store.scan(undefined, 2), []);
      await store.commit([c, a, b].map((key) => ({ key, value: key })));
      const first = await store.scan(undefined, 2);
      same(first, [{ key: a, value: a }, { key: b, value: b }]);
      same(await store.scan(first[1].key, 2), [{ key: c, value: c }]);
      same(await store.keys(undefined, 2), [a, b]);
      same(await store.keys(b, 2), [c]);
      await store.clear();
      same(await store.scan(undefined, 2), []);
    },
  },
  {
    name: "a closed store says so",
    async run({ open }) {
      const { store } = await open();
      store.close();
      await refused(store.get([a]), StorageUnavailableError);
      await refused(
        store.commit([{ key: a, value: a }]),
        StorageUnavailableError,
      );
    },
  },
  {
    name:
      "the device key unwraps what it wrapped, until it is replaced or forgotten",
    async run({ open }) {
      const { deviceKey } = await open();
      const secret = bytes("a secret of thirty-two bytes, ok?");
      same(
        await deviceKey.unwrap(bytes("nothing was wrapped yet, is it?")),
        undefined,
      );
      const wrapped = await deviceKey.wrap(secret);
      const next = await open();
      same(await next.deviceKey.unwrap(wrapped), secret);
      const again = await next.deviceKey.wrap(secret);
      same(await next.deviceKey.unwrap(wrapped), undefined);
      same(await next.deviceKey.unwrap(again), secret);
      await next.deviceKey.forget();
      same(await next.deviceKey.unwrap(again), undefined);
    },
  },
  {
    name:
      "a vault is there after a reload with its first records, and is not made twice",
    async run({ open }) {
      const { publicKey } = await generateKeyPair();
      const platform = await open();
      same(await Vault.open(platform), "none");
      await Vault.create(platform, { recoveryPublicKey: publicKey }, [
        notes.put("1", "first"),
      ]);
      const next = await open();
      const vault = await opened(next);
      same(await vault.getMany(notes, ["1", "2"]), ["first", undefined]);
      await refused(
        Vault.create(next, { recoveryPublicKey: publicKey }),
        VaultStateError,
      );
    },
  },
  {
    name:
      "after log out only the recovery key opens the vault, and then the device does again",
    async run({ open }) {
      const recovery = await generateKeyPair();
      const vault = await Vault.create(await open(), {
        recoveryPublicKey: recovery.publicKey,
      });
      await vault.commit([notes.put("1", "kept")]);
      await vault.logOut();

      const platform = await open();
      same(await Vault.open(platform), "logged-out");
      await refused(
        Vault.recover(platform, await generateKeyPair()),
        WrongKeyError,
      );
      same(await Vault.open(platform), "logged-out");
      const recovered = await Vault.recover(platform, recovery);
      same(await recovered.get(notes, "1"), "kept");
      await recovered.close();
      same(await (await opened(await open())).get(notes, "1"), "kept");
    },
  },
  {
    name:
      "a lock moves everything to another key; only its secret opens the vault from then on",
    async run({ open }) {
      const platform = await open();
      const { publicKey } = await generateKeyPair();
      const vault = await Vault.create(
        platform,
        { recoveryPublicKey: publicKey },
        [notes.put("1", "kept")],
      );
      const before = await platform.store.scan(undefined, 10);
      same(await platform.store.count(), before.length);
      const secret = new Uint8Array(32).fill(1);
      const locked = await vault.setLock(
        {
          means: {
            kind: "passkey",
            credential: bytes("which"),
            salt: new Uint8Array(32),
          },
          secret,
          eraseAfter: 0,
        },
        publicKey,
      );
      same(await locked.get(notes, "1"), "kept");
      await locked.close();
      const after = await platform.store.scan(undefined, 10);
      same(after.length, before.length);
      const next = await open();
      same(await Vault.unlock(next, new Uint8Array(32)), { wrong: true });
      const unlocked = await Vault.unlock(next, secret);
      if (!(unlocked instanceof Vault)) throw new Error("it did not open");
      same(await unlocked.get(notes, "1"), "kept");
    },
  },
  {
    name: "after erasing nothing is there, not even for the page that erased",
    async run({ open }) {
      const platform = await open();
      await Vault.create(
        platform,
        { recoveryPublicKey: (await generateKeyPair()).publicKey },
        [notes.put("1", "gone")],
      );
      const wrapped = await platform.deviceKey.wrap(bytes("secret"));
      await platform.erase();
      await refused(platform.store.get([a]), StorageUnavailableError);
      const next = await open();
      same(await next.store.scan(undefined, 10), []);
      same(await next.deviceKey.unwrap(wrapped), undefined);
      same(await Vault.open(next), "none");
    },
  },
];

async function opened(platform: Platform): Promise<Vault> {
  const vault = await Vault.open(platform);
  if (vault instanceof Vault) return vault;
  throw new Error(
    `the vault is ${typeof vault === "string" ? vault : "locked"}`,
  );
}
