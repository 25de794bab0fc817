/** Keys are not those that the person knew: said until they have looked at it. */
import "./verification_notice.css";
import { ShieldAlert } from "lucide-preact";
import type { ConversationView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { textOnDemand } from "../text/on_demand.ts";
import { ask } from "./contact_tasks.ts";

const words = textOnDemand.verification;

export function VerificationNotice(
  { view, changed }: {
    view: ConversationView;
    changed: "new-number" | "new-device";
  },
) {
  const { name } = view.contact.state.value;
  return (
    <div class="verification-notice">
      <ShieldAlert size={20} aria-hidden="true" />
      <div>
        <p>
          <strong>{words.changedTitle[changed](name)}</strong>
        </p>
        <p>{words.changedBody[changed](name)}</p>
      </div>
      <div class="verification-actions">
        <Button small look="primary" onClick={() => ask("verify", view)}>
          {words.compareNow}
        </Button>
        <Button small onClick={() => void view.contact.acknowledge()}>
          {words.acknowledge}
        </Button>
      </div>
    </div>
  );
}
