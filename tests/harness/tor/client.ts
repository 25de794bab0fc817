/** Somebody with a Tor of their own on the test's network. */
import { join } from "node:path";
import { openTor, progressOf, type TorSession } from "../../../lib/tor/mod.ts";

export type TorClient = Omit<TorSession, "socks"> & {
  readonly socks: NonNullable<TorSession["socks"]>;
  /** Where this Tor keeps its things. */
  readonly directory: string;
};

/** A client that has found its way into the network. `close` ends it. */
export async function torClient(configFile: string): Promise<TorClient> {
  const folder = await Deno.makeTempDir({ prefix: "whisper-tor-client-" });
  const directory = join(folder, "tor");
  const session = await openTor({
    own: {
      directory,
      config: await Deno.readTextFile(configFile),
    },
  });
  const close = async () => {
    await session.close();
    await Deno.remove(folder, { recursive: true });
  };
  try {
    while (!/^100 %/.test(await progressOf(session.control))) {
      await new Promise((resume) => setTimeout(resume, 50));
    }
    if (!session.socks) throw new Error("Tor has no SOCKS port");
    return { ...session, socks: session.socks, directory, close };
  } catch (error) {
    await close();
    throw error;
  }
}
