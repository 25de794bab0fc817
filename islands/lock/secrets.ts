/** What a lock is opened with, from a browser. How that is done is fetched when a lock is set or opened. */
import type { Passkeys, Stretch } from "../../lib/client/lock/mod.ts";

export const stretch: Stretch = async (passphrase, salt, cost) => {
  const { workerStretch } = await import("./worker_stretch.ts");
  return await workerStretch(passphrase, salt, cost);
};

const fetched = async () => (await import("./web_passkeys.ts")).webPasskeys;

/** undefined where the browser has no passkeys. */
export const passkeys: Passkeys | undefined =
  "PublicKeyCredential" in globalThis
    ? {
      create: async (salt) => await (await fetched()).create(salt),
      secret: async (credential, salt) =>
        await (await fetched()).secret(credential, salt),
    }
    : undefined;
