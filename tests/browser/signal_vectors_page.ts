/** What the vectors test runs in a page. */
import { checkVectors } from "../../lib/signal/testing/vectors/check.ts";
import type { Vectors } from "../../lib/signal/testing/vectors/vectors.ts";
import kept from "../../lib/signal/testing/vectors/vectors.json" with {
  type: "json",
};

declare global {
  var signalVectors: ReturnType<typeof checkVectors>;
}

// JSON is typed by what it happens to hold; that it holds this is what the test finds out.
globalThis.signalVectors = checkVectors(kept as Vectors);
