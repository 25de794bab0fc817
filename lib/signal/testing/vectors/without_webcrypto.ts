/** A platform without WebCrypto's algorithms: holds the other implementations to the vectors. */
import type { Vectors } from "./vectors.ts";

self.addEventListener("message", async ({ data }: MessageEvent<Vectors>) => {
  Object.defineProperty(crypto, "subtle", { value: undefined });
  // Only now, because what there is is found out once.
  const { checkVectors } = await import("./check.ts");
  self.postMessage(await checkVectors(data));
});
