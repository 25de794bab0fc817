/** Whether an onion service asks its visitors for work: its descriptor says so, which only they can read. */
import type { TorClient } from "./client.ts";

/** What Tor says on its own while `visiting` of the descriptor that it has opened; a first visit reads it. */
export async function asksForWork(
  { control }: TorClient,
  visiting: () => Promise<unknown>,
): Promise<boolean> {
  let asked = false;
  const deafen = control.listen((event) => {
    if (event.includes("PoW params present in descriptor")) asked = true;
  });
  await control.command("SETEVENTS DEBUG");
  try {
    await visiting();
    // Its answer comes after all that it had to say.
    await control.command("SETEVENTS");
    return asked;
  } finally {
    deafen();
  }
}
