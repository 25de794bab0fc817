/** What came of changing the access key: the page that asked for it is gone by then. */
import type { KeyOutcome } from "../access_key_outcome.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";

export function AccessKeyOutcome(
  { outcome, onClose }: { outcome: KeyOutcome; onClose: () => void },
) {
  const { title, body } = textOnDemand.changeKey.outcomes[outcome];
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{body}</p>
      <div class="dialog-actions">
        <Button look="primary" onClick={onClose}>{text.common.close}</Button>
      </div>
    </Dialog>
  );
}
