/** What another circuit to a contact changes, and what not, said before it is taken. */
import type { ConversationView } from "../../lib/client/view.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { Confirm } from "./contact_dialog.tsx";

const words = textOnDemand.circuit;

export function NewCircuit(
  { view: { contact }, onClose }: {
    view: ConversationView;
    onClose: () => void;
  },
) {
  const { name } = contact.state.value;
  const route = contact.route.value;
  const host = route.at === "other" ? route.host : "";
  return (
    <Confirm
      onClose={onClose}
      title={words.title(name)}
      action={words.action}
      look="primary"
      done={words.done}
      act={() => contact.newCircuit()}
    >
      <p>{words.changes(name, host)}</p>
      <p>{words.stays(host)}</p>
    </Confirm>
  );
}
