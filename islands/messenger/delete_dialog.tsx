/** Asks before a message is deleted for everyone. */
import type { ConversationView } from "../../lib/client/view.ts";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { Confirm } from "./contact_dialog.tsx";

const words = textOnDemand.editing;

export function DeleteDialog(
  { view, id, onClose }: {
    view: ConversationView;
    id: string;
    onClose: () => void;
  },
) {
  return (
    <Confirm
      onClose={onClose}
      title={words.deleteTitle}
      action={text.message.delete}
      done={words.deleted}
      act={() => view.deleteForEveryone(id)}
    >
      <p>{words.deleteBody(view.name.value)}</p>
    </Confirm>
  );
}
