/** This browser was removed from the account by another device of it. */
import { Button } from "../parts/button.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { Card } from "../welcome/card.tsx";

const words = textOnDemand.removed;

export function Removed() {
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
