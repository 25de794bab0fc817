/** People without a past at a relay of their own. */
import {
  freshVisitor,
  startRelay,
  type Visitor,
  type VisitorOptions,
} from "../harness/mod.ts";
import { connect, createAccount } from "./conversation_steps.ts";

export type Arriving = Omit<VisitorOptions, "url">;

/** Tells a story of as many as `arriving` says, and fails when a page had something to complain about that is not `expected`. */
export async function withVisitors(
  arriving: readonly Arriving[],
  tell: (...people: Visitor[]) => Promise<void>,
  ...expected: RegExp[]
): Promise<void> {
  const relay = await startRelay();
  const people: Visitor[] = [];
  try {
    for (const options of arriving) {
      people.push(await freshVisitor({ url: relay.url, ...options }));
    }
    await tell(...people);
    for (const person of people) person.expectNoProblems(...expected);
  } finally {
    for (const person of people) await person.close();
    await relay.stop();
  }
}

/** The same of Ada at a desk and Björn, who `arrives` as said, each with an account. */
export function withAccounts(
  arrives: Arriving,
  tell: (ada: Visitor, bjorn: Visitor) => Promise<void>,
): Promise<void> {
  return withVisitors([{}, arrives], async (ada, bjorn) => {
    await Promise.all([
      createAccount(ada, "Ada"),
      createAccount(bjorn, "Björn"),
    ]);
    await tell(ada, bjorn);
  });
}

/** The same, in their conversation with each other. */
export function withConversation(
  arrives: Arriving,
  tell: (ada: Visitor, bjorn: Visitor) => Promise<void>,
): Promise<void> {
  return withAccounts(arrives, async (ada, bjorn) => {
    await connect(ada, bjorn);
    await tell(ada, bjorn);
  });
}
