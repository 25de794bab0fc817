/** Above the field where messages are written: that one is being edited, and the way out of it. */
import "./edit_bar.css";
import { Pencil, X } from "lucide-preact";
import type { ConversationView, Editing } from "../../lib/client/view.ts";
import { IconButton } from "../parts/button.tsx";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.editing;

export function EditBar(
  { view, editing, id, onCancel }: {
    view: ConversationView;
    editing: Editing;
    /** Of the element that says what is being done. */
    id: string;
    onCancel: () => void;
  },
) {
  const message = view.messages.value.findLast((one) => one.id === editing.id);
  return (
    <div class="edit-bar">
      <Pencil size={18} aria-hidden="true" />
      <p id={id} class="edit-bar-words">
        <strong>{words.title}</strong>
        {message?.body.kind === "text" && (
          <span dir="auto">{message.body.text}</span>
        )}
      </p>
      <IconButton label={words.cancel} onClick={onCancel}>
        <X size={20} />
      </IconButton>
    </div>
  );
}
