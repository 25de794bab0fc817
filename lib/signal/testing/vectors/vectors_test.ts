import assert from "node:assert/strict";
import { checkVectors, type Chosen } from "./check.ts";
import type { Vectors } from "./vectors.ts";
import kept from "./vectors.json" with { type: "json" };

// JSON is typed by what it happens to hold; that it holds this is what the tests find out.
const VECTORS = kept as Vectors;

const all = (name: "webcrypto" | "noble"): Chosen => ({
  x25519: name,
  ed25519: name,
  mlKem1024: name,
});

Deno.test("the vectors of libsignal hold with WebCrypto", async () => {
  const { compared, chosen } = await checkVectors(VECTORS);
  assert.ok(compared > 70, `${compared} comparisons`);
  assert.deepEqual(chosen, all("webcrypto"));
});

Deno.test("the vectors of libsignal hold without WebCrypto", async () => {
  const worker = new Worker(
    new URL("./without_webcrypto.ts", import.meta.url),
    { type: "module" },
  );
  const { compared, chosen } = await new Promise<
    Awaited<ReturnType<typeof checkVectors>>
  >((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(VECTORS);
  }).finally(() => worker.terminate());
  assert.equal(compared, (await checkVectors(VECTORS)).compared);
  assert.deepEqual(chosen, all("noble"));
});

Deno.test("a vector that is wrong in one place does not hold", async () => {
  const flipped = (hex: string) => (hex[0] === "0" ? "1" : "0") + hex.slice(1);
  const [agreement] = VECTORS.agreements;
  const [signature] = VECTORS.signatures;
  const [number] = VECTORS.safetyNumbers;
  const [moment] = VECTORS.conversations;
  const [beginning] = VECTORS.beginnings;
  const wrong: Partial<Vectors>[] = [
    { agreements: [{ ...agreement, secret: flipped(agreement.secret) }] },
    { signatures: [{ ...signature, valid: !signature.valid }] },
    {
      safetyNumbers: [{ ...number, displayable: flipped(number.displayable) }],
    },
    { conversations: [{ ...moment, text: "another" }] },
    {
      beginnings: [{
        ...beginning,
        messages: [{ ...beginning.messages[0], refused: "duplicate" }],
      }],
    },
  ];
  const empty: Vectors = {
    agreements: [],
    signatures: [],
    safetyNumbers: [],
    beginnings: [],
    conversations: [],
  };
  for (const change of wrong) {
    await assert.rejects(checkVectors({ ...empty, ...change }));
  }
});
