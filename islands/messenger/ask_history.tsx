import type { DevicesView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.history;

/** Asks the other devices for what was said before this one came. */
export function AskHistory(
  { devices, small }: { devices: DevicesView; small?: boolean },
) {
  return (
    <Button
      small={small}
      look="outline"
      onClick={() => void devices.askHistory()}
    >
      {words.ask}
    </Button>
  );
}
