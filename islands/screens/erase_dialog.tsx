/** Erasing everything: said in full, then one press. */
import { useState } from "preact/hooks";
import type { MessengerView } from "../../lib/client/view.ts";
import { eraseTraces } from "../erase_traces.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Mistake } from "../parts/field.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.erase;

export function EraseDialog(
  { messenger, onClose }: { messenger: MessengerView; onClose: () => void },
) {
  const [failed, setFailed] = useState(false);
  const erase = async () => {
    setFailed(false);
    try {
      await messenger.erase();
      await eraseTraces();
    } catch (error) {
      setFailed(true);
      console.error("erasing failed", error);
    }
  };
  return (
    <Dialog title={words.title} onClose={onClose}>
      <p>{words.body}</p>
      <p>{words.remains}</p>
      {failed && <Mistake>{words.failed}</Mistake>}
      <div class="dialog-actions">
        <Button look="quiet" onClick={onClose}>{text.common.cancel}</Button>
        <Button look="danger" onClick={erase}>{words.confirm}</Button>
      </div>
    </Dialog>
  );
}
