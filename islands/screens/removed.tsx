/** This browser was removed from the account by another device of it. */
import { useEffect } from "preact/hooks";
import { clearTraces } from "../erase_traces.ts";
import { Button } from "../parts/button.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { Card } from "../welcome/card.tsx";

const words = textOnDemand.removed;

export function Removed() {
  useEffect(() => {
    clearTraces().catch((error) =>
      console.error("what is beside the storage was not cleared", error)
    );
  }, []);
  return (
    <Card title={words.title} lead={words.lead} takeFocus>
      <div class="card-actions">
        <Button look="primary" onClick={() => location.reload()}>
          {text.common.reload}
        </Button>
      </div>
    </Card>
  );
}
