/** One's own data as a file, after a word about what that means. */
import { useState } from "preact/hooks";
import type { MessengerView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Mistake } from "../parts/field.tsx";
import { saveFile } from "../save_file.ts";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.settings;

export function ExportSection({ onAsk }: { onAsk: () => void }) {
  return (
    <section class="settings-group">
      <h3>{words.data}</h3>
      <p class="settings-hint">{words.dataHint}</p>
      <div class="settings-buttons">
        <Button look="outline" onClick={onAsk}>{words.exportAsk}</Button>
      </div>
    </section>
  );
}

export function ExportDialog(
  { messenger, onClose }: { messenger: MessengerView; onClose: () => void },
) {
  const [state, setState] = useState<"asking" | "collecting" | "failed">(
    "asking",
  );
  const collect = async () => {
    setState("collecting");
    try {
      const pieces: string[] = [];
      for await (const piece of messenger.exportData()) pieces.push(piece);
      const day = new Date().toISOString().slice(0, 10);
      saveFile(
        words.exportFile(day),
        new Blob(pieces, { type: "application/json" }),
      );
      onClose();
    } catch {
      setState("failed");
    }
  };
  return (
    <Dialog title={words.exportTitle} onClose={onClose}>
      <p>{words.exportBody}</p>
      {state === "failed" && <Mistake>{words.exportFailed}</Mistake>}
      <div class="dialog-actions">
        <Button look="quiet" onClick={onClose}>{text.common.cancel}</Button>
        <Button
          look="danger"
          disabled={state === "collecting"}
          onClick={collect}
        >
          {state === "collecting" ? words.exporting : words.exportSubmit}
        </Button>
      </div>
    </Dialog>
  );
}
