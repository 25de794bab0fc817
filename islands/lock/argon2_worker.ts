/** A worker that stretches one passphrase: a second of work that must not stop the page. */
import { argon2id } from "@noble/hashes/argon2.js";
import type { StretchRequest } from "./worker_stretch.ts";

addEventListener("message", ({ data }: MessageEvent<StretchRequest>) => {
  const { passphrase, salt, cost } = data;
  const { memory: m, passes: t, lanes: p } = cost;
  const secret = argon2id(passphrase, salt, { m, t, p, dkLen: 32 });
  passphrase.fill(0);
  postMessage(secret);
});
