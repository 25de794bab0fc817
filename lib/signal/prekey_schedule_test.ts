import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_ANSWERED } from "./answered.ts";
import {
  createPreKeyStock,
  generateKeyPair,
  keepUpPreKeyStock,
  type KeyPair,
  parsePreKeyStock,
  preKeySourceOf,
  type PreKeyStock,
  serializePreKeyStock,
  SignalError,
  takeBackPreKeys,
  type UsedPreKeys,
  usePreKeys,
} from "./mod.ts";
import { MAX_PREKEY_ID } from "./prekey_ids.ts";
import { MAX_GIVEN, STOCK } from "./prekey_stock.ts";
import { KEPT_MS } from "./prekey_upkeep.ts";
import { START } from "./testing/party.ts";
import { holds } from "./testing/property.ts";

type Happening =
  | {
    what: "give" | "last resort" | "use" | "repeat" | "take back";
    which: number;
  }
  | { what: "wait"; hours: number; online: boolean };

/** One bundle that is out somewhere, as somebody who took it sees it. */
interface Out {
  readonly oneTime: boolean;
  readonly signedPreKeyId: number;
  readonly kyberPreKeyId: number;
  /** When the signed prekey it names was replaced, as far as it was. */
  replaced?: number;
  state: "out" | "used" | "taken back";
}

const which = fc.nat();
const happenings = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ what: fc.constantFrom("give" as const), which }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        what: fc.constantFrom("last resort" as const),
        which,
      }),
    },
    {
      weight: 10,
      arbitrary: fc.record({
        what: fc.constantFrom("use" as const, "repeat" as const),
        which,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        what: fc.constantFrom("take back" as const),
        which,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constant("wait" as const),
        hours: fc.integer({ min: 1, max: 400 }),
        online: fc.boolean(),
      }),
    },
  ),
  { minLength: 300, maxLength: 600, size: "max" },
);

/** A device whose stock goes through its bytes at every step, and what the world has of it. */
class Device {
  readonly #identity: KeyPair;
  #bytes: Uint8Array;
  now = START;
  caughtUp = START;
  readonly out: Out[] = [];
  readonly begun: UsedPreKeys[] = [];
  readonly counts = { begun: 0, refused: 0, expired: 0, rotated: 0 };

  private constructor(identity: KeyPair, stock: PreKeyStock) {
    this.#identity = identity;
    this.#bytes = serializePreKeyStock(stock);
  }

  /** @param nextId where the ids go on, so that they come round in a schedule */
  static async create(identity: KeyPair, nextId: number): Promise<Device> {
    const stock = await createPreKeyStock(identity, START);
    return new Device(identity, { ...stock, nextId });
  }

  get stock(): PreKeyStock {
    return parsePreKeyStock(this.#bytes);
  }

  async happen(happening: Happening): Promise<void> {
    if (happening.what === "wait") await this.#wait(happening);
    else if (happening.what === "give") await this.#give();
    else if (happening.what === "last resort") this.#publishLastResort();
    else if (happening.what === "use") await this.#use(happening.which);
    else if (happening.what === "repeat") this.#repeat(happening.which);
    else this.#takeBack(happening.which);
    this.#check();
  }

  #keep(stock: PreKeyStock): void {
    this.#bytes = serializePreKeyStock(stock);
  }

  async #keepUp(): Promise<void> {
    const before = this.stock;
    const after = await keepUpPreKeyStock(before, this.#identity, this);
    this.#keep(after);
    const old = before.standing[0].signed.id;
    if (after.standing[0].signed.id === old) return;
    this.counts.rotated++;
    for (const out of this.out) {
      if (out.signedPreKeyId === old) out.replaced ??= this.now;
    }
  }

  async #wait({ hours, online }: { hours: number; online: boolean }) {
    this.now += hours * 60 * 60 * 1000;
    if (!online) return;
    // As a device does: first make what may be published, then read, then drop.
    await this.#keepUp();
    this.caughtUp = this.now;
    await this.#keepUp();
  }

  /** As `giveBundle`, whose signatures are not what is tested here. */
  async #give(): Promise<void> {
    await this.#keepUp();
    const stock = this.stock;
    const [pair, ...ready] = stock.ready;
    const signedPreKeyId = stock.standing[0].signed.id;
    if (stock.given.length >= MAX_GIVEN) return;
    const given = [...stock.given, { ...pair, signedPreKeyId }];
    this.#keep({ ...stock, ready, given });
    this.out.push({
      oneTime: true,
      signedPreKeyId,
      kyberPreKeyId: pair.id,
      state: "out",
    });
  }

  #publishLastResort(): void {
    const { id } = this.stock.standing[0].signed;
    this.out.push({
      oneTime: false,
      signedPreKeyId: id,
      kyberPreKeyId: id,
      state: "out",
    });
  }

  async #use(which: number): Promise<void> {
    if (this.out.length === 0) return;
    const out = this.out[which % this.out.length];
    const { signedPreKeyId, kyberPreKeyId } = out;
    const used: UsedPreKeys = {
      ...(out.oneTime && { preKeyId: kyberPreKeyId }),
      signedPreKeyId,
      kyberPreKeyId,
      baseKey: crypto.getRandomValues(new Uint8Array(33)),
    };
    const held = out.replaced === undefined ||
      this.caughtUp - out.replaced < KEPT_MS;
    if (out.state === "out" && held) {
      await this.#answers(used);
      this.#keep(usePreKeys(this.stock, used));
      this.begun.push(used);
      this.counts.begun++;
      if (out.oneTime) out.state = "used";
      return;
    }
    // Its ids may be those of other keys by now, which its message would not open.
    const again = this.out.some((other) =>
      other !== out && other.kyberPreKeyId === kyberPreKeyId
    );
    if (again) return;
    this.#refuses(used, ["unknown-prekey"]);
    if (!held) this.counts.expired++;
  }

  #repeat(which: number): void {
    if (this.begun.length === 0) return;
    this.#refuses(
      this.begun[which % this.begun.length],
      ["duplicate", "unknown-prekey"],
    );
  }

  #takeBack(which: number): void {
    const out = this.out[which % Math.max(1, this.out.length)];
    if (out === undefined || !out.oneTime || out.state !== "out") return;
    this.#keep(takeBackPreKeys(this.stock, [out.kyberPreKeyId]));
    out.state = "taken back";
  }

  /** The private halves of a first message's keys are found. */
  async #answers({ preKeyId, signedPreKeyId, kyberPreKeyId }: UsedPreKeys) {
    const source = preKeySourceOf(this.stock);
    assert(await source.signedPreKey(signedPreKeyId));
    assert(await source.kyberPreKey(kyberPreKeyId));
    if (preKeyId !== undefined) assert(await source.preKey(preKeyId));
  }

  #refuses(used: UsedPreKeys, codes: SignalError["code"][]): void {
    assert.throws(
      () => usePreKeys(this.stock, used),
      (error: unknown) =>
        error instanceof SignalError && codes.includes(error.code),
    );
    this.counts.refused++;
  }

  #check(): void {
    const { standing, ready, given } = this.stock;
    const ids = [
      ...standing.map(({ signed }) => signed.id),
      ...[...ready, ...given].map(({ id }) => id),
    ];
    assert.equal(new Set(ids).size, ids.length, "an id names one key");
    assert(ids.every((id) => id >= 1 && id <= MAX_PREKEY_ID));
    assert(ready.length <= STOCK && given.length <= MAX_GIVEN);
    for (const { answered } of standing) {
      assert(answered.length <= 16 * MAX_ANSWERED);
    }
    const late = standing.slice(1).filter(({ replaced }) =>
      this.caughtUp - replaced! >= KEPT_MS
    );
    assert.deepEqual(late, [], "nothing is kept longer");
  }
}

Deno.test("whatever is given, used, repeated, taken back and waited for: what is out begins one session in time, and nothing else does", async () => {
  const identity = await generateKeyPair();
  const runs = 15;
  const total = { begun: 0, refused: 0, expired: 0, rotated: 0 };
  await holds(
    fc.asyncProperty(
      happenings,
      fc.integer({ min: MAX_PREKEY_ID - 150, max: MAX_PREKEY_ID }),
      async (events, nextId) => {
        const device = await Device.create(identity, nextId);
        for (const event of events) await device.happen(event);
        total.begun += device.counts.begun;
        total.refused += device.counts.refused;
        total.expired += device.counts.expired;
        total.rotated += device.counts.rotated;
      },
    ),
    runs,
  );
  // The property has not held because nothing happened.
  assert(total.begun > 20 * runs && total.refused > 50 * runs);
  assert(total.expired > runs && total.rotated > runs, JSON.stringify(total));
});
