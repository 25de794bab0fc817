import type { Stretch } from "../../lib/client/lock/mod.ts";
import { workerUrl } from "../../lib/web/trusted_types.ts";

/** Where the build put the worker. As a glob, because Deno takes a path with a query for another module. */
const { "./argon2_worker.ts": url } = import.meta.glob<string>(
  "./argon2_worker.ts",
  { query: "?worker&url", import: "default", eager: true },
);

/** What the worker is asked. */
export interface StretchRequest {
  readonly passphrase: Uint8Array;
  readonly salt: Uint8Array;
  readonly cost: Parameters<Stretch>[2];
}

/** Argon2id in a worker of its own, whose memory goes with it. */
export const workerStretch: Stretch = async (passphrase, salt, cost) => {
  const worker = new Worker(workerUrl(url), { type: "module" });
  const answer = Promise.withResolvers<Uint8Array>();
  worker.onmessage = ({ data }: MessageEvent<Uint8Array>) =>
    answer.resolve(data);
  worker.onerror = () =>
    answer.reject(new Error("the passphrase could not be stretched"));
  try {
    worker.postMessage({ passphrase, salt, cost } satisfies StretchRequest);
    return await answer.promise;
  } finally {
    worker.terminate();
  }
};
