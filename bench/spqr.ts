/**
 * What SPQR adds to each message, beside the cheapest thing it can be compared
 * with: the one key derivation that every message needs, and a whole standard
 * encapsulation. `deno bench bench/spqr.ts`
 */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import {
  addChunk,
  chunkAt,
  type Chunks,
  joinChunks,
} from "../lib/signal/spqr/erasure_code.ts";
import {
  decapsulate,
  encapsulateFirst,
  encapsulateSecond,
  generateSecretKey,
  headerOf,
  vectorOf,
} from "../lib/signal/spqr/kem.ts";
import {
  initialState,
  parse,
  receive,
  send,
  serialize,
  type SpqrState,
} from "../lib/signal/spqr/mod.ts";

const random = (length: number) =>
  crypto.getRandomValues(new Uint8Array(length));

let alice = initialState(new Uint8Array(32), "A2B");
let bob = initialState(new Uint8Array(32), "B2A");

/** Both sides in the midst of an epoch, as most messages find them. */
function exchange(messages: number): void {
  for (let i = 0; i < messages; i++) {
    const fromAlice = send(alice, random);
    bob = receive(bob, fromAlice.message).state;
    const fromBob = send(bob, random);
    alice = receive(fromAlice.state, fromBob.message).state;
    bob = fromBob.state;
  }
}
exchange(200);

Deno.bench("one HKDF of 64 bytes (noble)", {
  group: "message",
  baseline: true,
}, () => {
  hkdf(sha256, alice.chain.root, undefined, undefined, 64);
});
Deno.bench("send", { group: "message" }, () => {
  send(alice, random);
});
const incoming = send(bob, random).message;
Deno.bench("receive", { group: "message" }, () => {
  receive(alice, incoming);
});
Deno.bench("a round both ways, KEM steps included (4 operations)", {
  group: "message",
}, () => exchange(1));
const stored = serialize(alice);
Deno.bench(`serialize (${stored.length} bytes)`, { group: "message" }, () => {
  serialize(alice);
});
Deno.bench("parse", { group: "message" }, () => {
  parse(stored);
});

const seed = random(64);
const secretKey = generateSecretKey(seed);
const header = headerOf(secretKey);
const vector = vectorOf(secretKey);
const m = random(32);
const { ct1 } = encapsulateFirst(header, m);
const ct2 = encapsulateSecond(header, vector, m, ct1);
const standardKey = ml_kem768.getPublicKey(secretKey);

Deno.bench("standard encapsulation (noble)", {
  group: "KEM",
  baseline: true,
}, () => {
  ml_kem768.encapsulate(standardKey);
});
Deno.bench("key generation", { group: "KEM" }, () => {
  generateSecretKey(seed);
});
Deno.bench("encapsulation, first half", { group: "KEM" }, () => {
  encapsulateFirst(header, m);
});
Deno.bench("encapsulation, second half", { group: "KEM" }, () => {
  encapsulateSecond(header, vector, m, ct1);
});
Deno.bench("decapsulation", { group: "KEM" }, () => {
  decapsulate(secretKey, ct1, ct2);
});

let recovered: Chunks = [];
for (let index = 36; index < 72; index++) {
  recovered = addChunk(recovered, chunkAt(vector, index));
}
Deno.bench(
  "copy of 1152 bytes",
  { group: "erasure code", baseline: true },
  () => {
    vector.slice();
  },
);
Deno.bench("redundant chunk of 36", { group: "erasure code" }, () => {
  chunkAt(vector, 36);
});
Deno.bench("36 redundant chunks joined", { group: "erasure code" }, () => {
  joinChunks(recovered, vector.length);
});

const behind: SpqrState = initialState(new Uint8Array(32), "B2A");
let ahead: SpqrState = initialState(new Uint8Array(32), "A2B");
let last = new Uint8Array();
for (let i = 0; i <= 2_000; i++) {
  const sent = send(ahead, random);
  ahead = sent.state;
  last = new Uint8Array(sent.message);
}
const gapped = receive(behind, last).state;
const late = send(
  send(initialState(new Uint8Array(32), "A2B"), random).state,
  random,
);
Deno.bench("a gap of 2,000 messages", {
  group: "late messages",
  baseline: true,
}, () => {
  receive(behind, last);
});
Deno.bench("a late message among 2,000 missing ones", {
  group: "late messages",
}, () => {
  receive(gapped, late.message);
});
