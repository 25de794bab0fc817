/** In place of the composer, when there is no way to the contact, or above it, when nobody is at the end of it. */
import "./parted.css";
import type { ContactView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.parted;

export function Parted(
  { contact, onInvite }: { contact: ContactView; onInvite: () => void },
) {
  const { name, blocked, connected } = contact.state.value;
  const told = blocked ? words.blocked : words.unblocked;
  return (
    <div class="parted" role="status">
      <p>{connected ? words.lost(name) : told(name)}</p>
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
