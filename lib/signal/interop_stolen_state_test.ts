import { introduce } from "./testing/party.ts";
import { inBothRoles } from "./testing/roles.ts";
import { say } from "./testing/text.ts";
import { judge, steal } from "./testing/theft.ts";

inBothRoles(
  "who steals our session with libsignal is shut out by a round trip, with a quantum computer by an epoch of SPQR",
  async ({ ours, theirs, initiator, responder }) => {
    await introduce(initiator, responder);
    await say(initiator, responder, "hello");
    await say(responder, initiator, "hello you");
    // One conversation, stolen from again and again.
    for (const before of [0, 7, 20, 30]) {
      judge(await steal(ours, theirs, before, 100));
    }
  },
);
