import { MemoryTabs } from "./memory_tabs.ts";
import { ONE_TAB_CONTRACT } from "./one_tab_contract.ts";
import { WebTab } from "./web_tab.ts";

for (const { name, run } of ONE_TAB_CONTRACT) {
  Deno.test(`tabs in memory: ${name}`, async () => {
    const tabs = new MemoryTabs({ patience: 200 });
    await run({ tab: () => tabs.tab() });
  });

  Deno.test(`tabs on Web Locks: ${name}`, async () => {
    const options = { name: crypto.randomUUID(), patience: 200, askEvery: 20 };
    await run({ tab: () => new WebTab(options) });
  });
}
