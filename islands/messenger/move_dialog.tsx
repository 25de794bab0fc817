/** How one moves to another server: it is done there, and what it changes is said before. */
import { Button } from "../parts/button.tsx";
import { CopyButton } from "../parts/copy_button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.move;

export function MoveDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={words.away.title} onClose={onClose}>
      <p>{words.away.lead}</p>
      <ol class="settings-list">
        {words.away.steps(location.host).map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <div class="settings-buttons">
        <CopyButton label={words.away.copy} value={location.host} />
      </div>
      <p>{words.away.then}</p>
      <div class="dialog-actions">
        <Button look="primary" onClick={onClose}>{text.common.close}</Button>
      </div>
    </Dialog>
  );
}
