import type { Limits } from "../limits.ts";
import type { HostRules } from "../forward_hosts.ts";
import { MemoryDialler } from "./memory_dialler.ts";
import { type RelayWorld, withRelay } from "./with_relay.ts";

export const OTHER_URL = "https://other.example";

/** Two relays: `own` reaches `other` at OTHER_URL, as the dialler lets it. */
export type TwoRelays = {
  own: RelayWorld;
  other: RelayWorld;
  dialler: MemoryDialler;
  /** The other relay starts anew on what it had on disk; its connections are over. */
  restartOther(): Promise<void>;
};

/** Runs a test with two relays of its own and leaves nothing behind. */
export function withTwoRelays(
  run: (relays: TwoRelays) => Promise<void>,
  options: {
    own?: Partial<Limits>;
    other?: Partial<Limits>;
    hosts?: HostRules;
    dialler?: MemoryDialler;
    /** Passwords of private relays. */
    access?: string;
    otherAccess?: string;
  } = {},
): Promise<void> {
  const { dialler = new MemoryDialler() } = options;
  const forward = { ...options.hosts, dialler };
  return withRelay(
    (own) =>
      withRelay(
        async (other) => {
          const join = () => dialler.relays.set(OTHER_URL, other.relay);
          join();
          const restartOther = async () => {
            await other.restart();
            join();
          };
          await run({ own, other, dialler, restartOther });
        },
        options.other,
        { publicUrl: OTHER_URL, access: options.otherAccess },
      ),
    options.own,
    { forward, access: options.access },
  );
}
