/** In place of the composer, when there is no way to the contact. */
import "./parted.css";
import type { ContactView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.parted;

export function Parted(
  { contact, onInvite }: { contact: ContactView; onInvite: () => void },
) {
  const { name, blocked } = contact.state.value;
  return (
    <div class="parted">
      <p>{blocked ? words.blocked(name) : words.unblocked(name)}</p>
      {blocked
        ? (
          <Button look="outline" onClick={() => void contact.unblock()}>
            {textOnDemand.contact.unblock}
          </Button>
        )
        : (
          <Button look="primary" onClick={onInvite}>
            {words.meetAnew}
          </Button>
        )}
    </div>
  );
}
