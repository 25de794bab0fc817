import type { DevicesView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.history;

/** Asks the other devices for what was said before this one came, or while it was away too long. */
export function AskHistory(
  { devices, small, onAsked }: {
    devices: DevicesView;
    small?: boolean;
    onAsked?: () => Promise<void>;
  },
) {
  return (
    <Button
      small={small}
      look="outline"
      onClick={() => void devices.askHistory().then(onAsked)}
    >
      {words.ask}
    </Button>
  );
}
