import { LibsignalParty } from "./libsignal_party.ts";
import { OurParty } from "./our_party.ts";
import type { Party } from "./party.ts";

/** We and libsignal, by who is who and by who begins. */
export interface Roles {
  readonly ours: OurParty;
  readonly theirs: LibsignalParty;
  readonly initiator: Party;
  readonly responder: Party;
}

/** Two tests of one behaviour: we begin and libsignal answers, and the other way round. */
export function inBothRoles(
  behaviour: string,
  test: (roles: Roles) => Promise<void>,
): void {
  for (const name of ["we begin", "libsignal begins"] as const) {
    Deno.test(`${behaviour} (${name})`, async () => {
      const ours = await OurParty.create();
      const theirs = new LibsignalParty();
      const [initiator, responder] = name === "we begin"
        ? [ours, theirs]
        : [theirs, ours];
      await test({ ours, theirs, initiator, responder });
    });
  }
}
