import { accessMessage, type Command, verifyEd25519 } from "../wire/mod.ts";
import { isPaid, type Visit } from "./visit.ts";

/** ACCESS of one connection. */
export class AccessCommand {
  readonly #visit: Visit;

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  /** Whoever signs with what the password stands for is admitted. A guess costs work, and raises its price, right or wrong. */
  async admit(command: Command & { type: "ACCESS" }): Promise<void> {
    const { context, connection, challenge, payments } = this.#visit;
    const { request, signature, work, type } = command;
    if (context.accessKey === undefined) return connection.ok(request);
    const payment = {
      type,
      key: signature.slice(0, 32),
      work,
      purpose: "",
      extra: 0,
      weight: 1,
    };
    if (!isPaid(this.#visit, request, payment)) return;
    payments.spend(payment);
    const message = accessMessage(challenge, context.relayKey);
    if (!await verifyEd25519(context.accessKey, message, signature)) {
      return connection.answer(request, "unauthorised");
    }
    this.#visit.admitted = true;
    connection.ok(request);
  }
}
