/** What every `OneTab` promises. */
import { type ContractCase, same } from "./contract_case.ts";
import type { OneTab } from "./one_tab.ts";

/** A browser of its own for every case; holders that do not answer are given up on after 200 ms. */
export interface TabsSubject {
  tab(): OneTab;
}

const never = () => new Promise<void>(() => {});
const nobody = () => Promise.reject(new Error("nobody took over"));

export const ONE_TAB_CONTRACT: readonly ContractCase<TabsSubject>[] = [
  {
    name: "one tab holds, others do not, until it releases",
    async run({ tab }) {
      const [first, second] = [tab(), tab()];
      same(await first.hold(nobody), true);
      same(await second.hold(nobody), false);
      await second.release();
      same(await second.hold(nobody), false);
      await first.release();
      same(await second.hold(nobody), true);
      await second.release();
    },
  },
  {
    name: "taking over waits until the holder has finished",
    async run({ tab }) {
      const [first, second] = [tab(), tab()];
      const steps: string[] = [];
      await first.hold(async () => {
        steps.push("asked");
        await new Promise((resolve) => setTimeout(resolve, 30));
        steps.push("finished");
      });
      await second.takeOver(nobody);
      steps.push("taken");
      same(steps, ["asked", "finished", "taken"]);
      same(await first.hold(nobody), false);
      await second.release();
    },
  },
  {
    name: "a tab that was taken over from can take over again",
    async run({ tab }) {
      const [first, second] = [tab(), tab()];
      let [firstAsked, secondAsked] = [0, 0];
      await first.hold(() => Promise.resolve(void firstAsked++));
      await second.takeOver(() => Promise.resolve(void secondAsked++));
      await first.takeOver(() => Promise.resolve(void firstAsked++));
      same([firstAsked, secondAsked], [1, 1]);
      await first.release();
    },
  },
  {
    name: "a holder that never finishes is given up on, and asked once",
    async run({ tab }) {
      const [first, second] = [tab(), tab()];
      let asked = 0;
      await first.hold(() => {
        asked++;
        return never();
      });
      await second.takeOver(nobody);
      same(asked, 1);
      same(await first.hold(nobody), false);
      await second.release();
    },
  },
  {
    name: "taking over from nobody is holding",
    async run({ tab }) {
      const [first, second] = [tab(), tab()];
      await first.takeOver(nobody);
      same(await second.hold(nobody), false);
      await first.release();
    },
  },
  {
    name: "of several tabs that take over at once, one holds in the end",
    async run({ tab }) {
      const tabs = [tab(), tab(), tab(), tab()];
      const holding = new Set<number>();
      const take = async (i: number, how: "hold" | "takeOver") => {
        await tabs[i][how](() => Promise.resolve(void holding.delete(i)));
        holding.add(i);
      };
      await take(0, "hold");
      await Promise.all([
        take(1, "takeOver"),
        take(2, "takeOver"),
        take(3, "takeOver"),
      ]);
      same(holding.size, 1);
      for (const tab of tabs) await tab.release();
      same(await tabs[0].hold(nobody), true);
      await tabs[0].release();
    },
  },
];
