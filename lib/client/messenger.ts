/** The messenger without a screen. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type {
  ConnectionState,
  ConversationSummary,
  ConversationView,
  InviteView,
  JoinState,
  LogInOutcome,
  MessengerView,
  NewAccount,
  OfferState,
  Phase,
} from "./view.ts";

/** A command that the present phase does not allow. */
export class NotReadyError extends Error {
  constructor(command: string) {
    super(`${command} is not possible now`);
    this.name = "NotReadyError";
  }
}

export class Messenger implements MessengerView {
  readonly phase: ReadonlySignal<Phase> = signal<Phase>({ at: "starting" });
  readonly connection: ReadonlySignal<ConnectionState> = signal<
    ConnectionState
  >({ at: "connecting" });
  readonly me: ReadonlySignal<{ readonly name: string } | undefined> = signal();
  readonly conversations: ReadonlySignal<readonly ConversationSummary[]> =
    signal([]);
  readonly invite: InviteView = {
    offer: signal<OfferState>({ at: "none" }),
    join: signal<JoinState>({ at: "none" }),
    generate: () => Promise.reject(new NotReadyError("generate")),
    withdraw: () => Promise.reject(new NotReadyError("withdraw")),
    connect: () => Promise.reject(new NotReadyError("connect")),
    reset: () => {},
  };
  readonly settings: MessengerView["settings"] = {
    deliveryReceipts: signal(true),
    readReceipts: signal(true),
    setDeliveryReceipts: () =>
      Promise.reject(new NotReadyError("setDeliveryReceipts")),
    setReadReceipts: () => Promise.reject(new NotReadyError("setReadReceipts")),
  };

  conversation(_id: string): ConversationView | undefined {
    return undefined;
  }
  newAccount(_displayName: string): Promise<NewAccount> {
    return Promise.reject(new NotReadyError("newAccount"));
  }
  logIn(_accessKey: string): Promise<LogInOutcome> {
    return Promise.reject(new NotReadyError("logIn"));
  }
  logOut(): Promise<void> {
    return Promise.reject(new NotReadyError("logOut"));
  }
  takeOver(): Promise<void> {
    return Promise.reject(new NotReadyError("takeOver"));
  }
  retry(): Promise<void> {
    return Promise.reject(new NotReadyError("retry"));
  }
  reconnect(): void {}
  close(): Promise<void> {
    return Promise.resolve();
  }
}
