/** What a person's knowledge of a contact's keys is worth, shown beside their name and above their words. */
import "./verification.css";
import { ShieldAlert, ShieldCheck } from "lucide-preact";
import type { ConversationView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { text } from "../text/mod.ts";
import { ask } from "./contact_tasks.ts";

const words = text.verify;

export function VerifiedMark({ size }: { size: number }) {
  return (
    <span class="verified-mark" role="img" aria-label={words.verifiedMark}>
      <ShieldCheck size={size} />
    </span>
  );
}

/** Keys are not those that the person knew: said until they have looked at it. */
export function VerificationNotice({ view }: { view: ConversationView }) {
  const { name, verification } = view.contact.state.value;
  const changed = verification === "new-number" ||
    verification === "new-device";
  return (
    <div class="verification" role="alert">
      {changed && (
        <div class="verification-notice">
          <ShieldAlert size={20} aria-hidden="true" />
          <div>
            <p>
              <strong>{words.changedTitle[verification](name)}</strong>
            </p>
            <p>{words.changedBody[verification](name)}</p>
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
      )}
    </div>
  );
}
