/** Says, where it is not overlooked, that this browser may be none of the account's any more. */
import { useSignal } from "@preact/signals";
import type { MessengerView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { Notice } from "./notice.tsx";

const words = textOnDemand.settings;

export function StandingNotice({ messenger }: { messenger: MessengerView }) {
  const read = useSignal(false);
  const standing = messenger.standing.value;
  const backup = messenger.backup.value;
  if (read.value) return null;
  const [title, body] = standing !== "current"
    ? [words.leftOut.standing, words.standings[standing]]
    : backup.at === "failed" && backup.reason === "gone"
    ? [words.leftOut.gone, words.backupStates.gone]
    : [words.leftOut.replaced, words.backupStates.replaced];
  return (
    <Notice
      warm
      title={title}
      actions={
        <Button
          small
          onClick={async () => {
            // What contacts say is put away for good; what the relay says, for this visit.
            if (standing !== "current") await messenger.putAway("standing");
            else read.value = true;
          }}
        >
          {text.common.dismiss}
        </Button>
      }
    >
      <p>{body}</p>
    </Notice>
  );
}
