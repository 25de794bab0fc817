import { MemoryDisk } from "./memory_store.ts";
import { PLATFORM_CONTRACT } from "./platform_contract.ts";

for (const { name, run } of PLATFORM_CONTRACT) {
  Deno.test(`memory platform: ${name}`, async () => {
    const disk = new MemoryDisk();
    await run({ open: () => Promise.resolve(disk.platform()) });
  });
}
