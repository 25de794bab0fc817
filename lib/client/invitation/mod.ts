/** Invitations by link: the link itself, what lies at the relay for it, and what is asked with it. */
export {
  formatInvitation,
  type InvitationLink,
  type InvitationReading,
  parseInvitation,
  whatIsEntered,
} from "./link_text.ts";
export { openPlace, type Place, PLACE_SIZE, sealPlace } from "./place.ts";
export { openRequest, type Request, sealRequest } from "./request.ts";
export { readPair, takePair } from "./secrets.ts";
export { openWhose, sealWhose, type Whose, WHOSE_SIZE } from "./whose.ts";
