import {
  type Command,
  encodeJoinOk,
  encodeOpenOk,
  type ErrorName,
  rendezvousMessage,
  verifyEd25519,
} from "../wire/mod.ts";
import { BoundParty } from "./handle.ts";
import type { Payment } from "./payments.ts";
import { JOINER, OPENER, type Rendezvous, type Side } from "./rendezvous.ts";
import { answerTo, isAdmitted, isPaid, type Visit } from "./visit.ts";

/** OPEN, JOIN, PASS and CLOSE of one connection. */
export class RendezvousCommands {
  readonly #visit: Visit;

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  /** `attend` answers who has got a place; without it they get a handle, and are pushed what comes. */
  async meet(
    command: Command & { type: "OPEN" | "JOIN" },
    attend: (rendezvous: Rendezvous, side: Side) => void = (...place) =>
      this.#attend(command.request, ...place),
  ): Promise<void> {
    const { context, connection, challenge, handles, payments } = this.#visit;
    const { type, request, publicKey, work } = command;
    if (type === "OPEN" && !isAdmitted(this.#visit, request)) return;
    const [side, nameplate] = type === "OPEN"
      ? ["open", 0] as const
      : ["join", command.nameplate] as const;
    const payment: Payment = {
      type,
      key: publicKey,
      work,
      purpose: String(nameplate),
      extra: side === "open" ? context.desk.surcharge(publicKey) : 0,
      weight: 1,
    };
    if (!isPaid(this.#visit, request, payment)) return;
    const message = rendezvousMessage(
      challenge,
      context.relayKey,
      side,
      nameplate,
      publicKey,
    );
    if (!await verifyEd25519(publicKey, message, command.signature)) {
      return connection.answer(request, "unauthorised");
    }
    payments.spend(payment);
    const refused = handles.refusal;
    if (refused !== undefined) return connection.answer(request, refused);
    handles.reserve();
    const met = (error: ErrorName | undefined, rendezvous?: Rendezvous) => {
      handles.letGo();
      if (error !== undefined || rendezvous === undefined) {
        connection.answer(request, error ?? "busy");
      } else if (connection.open) {
        attend(rendezvous, side === "open" ? OPENER : JOINER);
      }
    };
    if (side === "open") context.desk.open(publicKey, met);
    else context.desk.join(nameplate, publicKey, met);
  }

  pass(command: Command & { type: "PASS" }): void {
    const party = this.#party(command);
    if (party === undefined) return;
    this.#visit.context.desk.pass(
      party.rendezvous,
      party.side,
      command.index,
      command.bytes,
      answerTo(this.#visit, command),
    );
  }

  close(command: Command & { type: "CLOSE" }): void {
    const party = this.#party(command);
    if (party === undefined) return;
    this.#visit.context.desk.close(
      party.rendezvous,
      party.side,
      answerTo(this.#visit, command),
    );
  }

  #attend(request: number, rendezvous: Rendezvous, side: Side): void {
    const { context, connection, handles, outlet } = this.#visit;
    const party = handles.party(rendezvous, side) ??
      handles.hold((number) =>
        new BoundParty(outlet, number, side, rendezvous)
      );
    const { nameplate, expires } = rendezvous;
    const handle = party.number;
    const body = side === OPENER
      ? encodeOpenOk({ handle, nameplate, expires })
      : encodeJoinOk({ handle, expires });
    connection.ok(request, body);
    context.desk.attend(rendezvous, side, party).catch(context.failed);
  }

  #party(
    { request, handle }: { request: number; handle: number },
  ): BoundParty | undefined {
    const party = this.#visit.handles.get(handle);
    if (party?.kind === "party") return party;
    this.#visit.connection.answer(request, "unknown-handle");
    return undefined;
  }
}
