import { wordsOf } from "../../../lib/tor/control_words.ts";
import type { RelayProcess } from "../relay_process.ts";
import { controlOf } from "./onion_relay.ts";

/** The circuits that lead to the other relay, by Tor's own report: each with the user name it is for. */
export async function circuitsTo(
  relay: RelayProcess,
  onion: string,
): Promise<Map<string, string>> {
  const control = await controlOf(relay);
  const lines = async (key: string) =>
    (await control.command(`GETINFO ${key}`))[0].replace(`${key}=`, "")
      .split("\n");
  // "STREAM SUCCEEDED CIRCUIT TARGET:PORT"
  const used = new Set(
    (await lines("stream-status")).map((line) => line.split(" "))
      .filter(([, state, , target]) =>
        state === "SUCCEEDED" && target?.startsWith(onion)
      ).map(([, , circuit]) => circuit),
  );
  const circuits = new Map<string, string>();
  for (const line of await lines("circuit-status")) {
    const { plain: [circuit], values } = wordsOf(line);
    if (used.has(circuit)) {
      // Behind a dot is which attempt it is, after one that was lost.
      const [label] = (values.get("SOCKS_USERNAME") ?? "").split(".");
      circuits.set(circuit, label);
    }
  }
  control.close();
  return circuits;
}
