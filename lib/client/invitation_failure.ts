import { MalformedError } from "./keys/mod.ts";
import { ConnectionLostError, RelayError } from "./link/mod.ts";
import { failureOf } from "./rendezvous.ts";
import type { InvitationFailure } from "./view.ts";

/** Why an invitation could not be gone on with. Rethrows what is no answer to that. */
export function invitationFailureOf(error: unknown): InvitationFailure {
  if (error instanceof ConnectionLostError) return "offline";
  if (error instanceof MalformedError) return "relay-misbehaved";
  if (!(error instanceof RelayError)) throw error;
  switch (error.code) {
    case "no-such-blob":
    case "no-such-queue":
    case "unauthorised":
      return "gone";
    default: {
      const reason = failureOf(error.code);
      // What is said of a code that is used up or burnt, no relay says of a link.
      return reason === "busy" || reason === "access" ||
          reason === "unreachable" || reason === "other-relay"
        ? reason
        : "relay-misbehaved";
    }
  }
}

/** Whether trying again later may help: a relay is away, asks for patience or for its password. */
export function passes(error: unknown): boolean {
  if (error instanceof ConnectionLostError) return true;
  if (!(error instanceof RelayError)) return false;
  const reason = failureOf(error.code);
  return reason === "busy" || reason === "unreachable" || reason === "access";
}
