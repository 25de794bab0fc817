/** Two people in browsers of their own who talk over a server of their own: all of it as built. */
import { connect, createAccount } from "../tests/browser/conversation_steps.ts";
import {
  freshPerson,
  type Person,
  type RelayProcess,
  startRelay,
} from "../tests/harness/mod.ts";

export const ADA = "Ada Lovelace";
export const BJORN = "Björn Ångström";

export interface Two {
  readonly relay: RelayProcess;
  readonly ada: Person;
  readonly bjorn: Person;
}

/** For as long as `measure` lasts. They are in their conversation with each other. */
export async function withTwo(
  measure: (two: Two) => Promise<void>,
): Promise<void> {
  const relay = await startRelay();
  const people: Person[] = [];
  try {
    for (const name of [ADA, BJORN]) {
      const person = await freshPerson({
        url: relay.url,
        reducedMotion: "no-preference",
      });
      people.push(person);
      await createAccount(person, name);
    }
    const [ada, bjorn] = people;
    await connect(ada, bjorn);
    await measure({ relay, ada, bjorn });
    // A browser that is shown a plain text looks for its icon.
    for (const person of people) person.expectNoProblems(/status of 404/);
  } catch (error) {
    // Closing what is left may fail, too, and would hide it.
    console.error(error, relay.output());
    throw error;
  } finally {
    for (const person of people) await person.close();
    await relay.stop();
  }
}
