/** The lock of this browser among the settings: whether there is one, and what it does. */
import { KeyRound, LockKeyhole, LockKeyholeOpen } from "lucide-preact";
import { useState } from "preact/hooks";
import type { LockView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { Choice } from "../parts/choice.tsx";
import { Mistake } from "../parts/field.tsx";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.lock;

/** What can be done to a lock in a dialog of its own. */
export type LockTask = "passphrase" | "passkey" | "remove";

const MINUTES = [0, 1, 5, 15, 60];
const TRIES = [0, 5, 10, 20];

export function LockSettings(
  { lock, onTask }: { lock: LockView; onTask: (task: LockTask) => void },
) {
  const kind = lock.kind.value;
  const Icon = kind === "none" ? LockKeyholeOpen : LockKeyhole;
  const { title, body } = words.kinds[kind];
  return (
    <>
      <div class="settings-lock">
        <Icon size={20} aria-hidden="true" />
        <div>
          <p>
            <strong>{title}</strong>
          </p>
          <p>{body}</p>
        </div>
      </div>
      {kind !== "none" && <Rules lock={lock} counted={kind === "passphrase"} />}
      <div class="settings-buttons">
        <Button look="outline" onClick={() => onTask("passphrase")}>
          {words.passphraseOver[kind]}
        </Button>
        {lock.passkeys && kind !== "passkey" && (
          <Button
            look="outline"
            onClick={() => onTask("passkey")}
          >
            <KeyRound size={18} aria-hidden="true" />{" "}
            {kind === "none" ? words.usePasskey : words.passkeyInstead}
          </Button>
        )}
        {kind !== "none" && (
          <Button
            look="quiet"
            onClick={() => onTask("remove")}
          >
            {words.remove}
          </Button>
        )}
      </div>
    </>
  );
}

/** `counted`: wrong tries can be counted. */
function Rules({ lock, counted }: { lock: LockView; counted: boolean }) {
  const [failed, setFailed] = useState(false);
  const choose = async (set: () => Promise<void>) => {
    setFailed(false);
    try {
      await set();
    } catch {
      setFailed(true);
    }
  };
  return (
    <>
      <Choice
        label={words.after}
        hint={words.afterHint}
        value={lock.autoLock.value}
        options={MINUTES.map((value) => ({
          value,
          label: words.minutes(value),
        }))}
        onChoose={(minutes) => choose(() => lock.setAutoLock(minutes))}
      />
      {counted && (
        <Choice
          label={words.eraseAfter}
          hint={words.eraseAfterHint}
          value={lock.eraseAfter.value}
          options={TRIES.map((value) => ({ value, label: words.tries(value) }))}
          onChoose={(tries) => choose(() => lock.setEraseAfter(tries))}
        />
      )}
      {failed && <Mistake>{textOnDemand.settings.failed}</Mistake>}
    </>
  );
}
