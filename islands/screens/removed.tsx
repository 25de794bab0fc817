/** This browser was removed from the account by another device of it. */
import { useEffect } from "preact/hooks";
import { clearTraces } from "../erase_traces.ts";
import { goTo, settleAt } from "../navigation.ts";
import { Button } from "../parts/button.tsx";
import { textOnDemand } from "../text/on_demand.ts";
import { Card } from "../welcome/card.tsx";

const words = textOnDemand.removed;

/** A fresh page, which opens at this step. */
function logIn(): void {
  settleAt("/");
  goTo("log-in");
  location.reload();
}

export function Removed() {
  useEffect(() => {
    clearTraces().catch((error) =>
      console.error("what is beside the storage was not cleared", error)
    );
  }, []);
  return (
    <Card title={words.title} lead={words.lead} takeFocus>
      <div class="card-actions">
        <Button look="primary" onClick={logIn}>
          {textOnDemand.logIn.submit}
        </Button>
      </div>
    </Card>
  );
}
