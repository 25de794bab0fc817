/** The lock of this browser, shut: what opens it, and the two ways around it. */
import "./locked.css";
import { useState } from "preact/hooks";
import type { MessengerView, UnlockOutcome } from "../../lib/client/view.ts";
import { eraseTraces } from "../erase_traces.ts";
import { Button } from "../parts/button.tsx";
import { Mistake } from "../parts/field.tsx";
import { onDemand } from "../parts/on_demand.tsx";
import { Passphrase } from "../parts/passphrase.tsx";
import { textOnDemand } from "../text/on_demand.ts";
import { hasTouchKeyboard } from "../touch.ts";
import { Card } from "../welcome/card.tsx";
import { LogIn } from "../welcome/log_in.tsx";

const words = textOnDemand.locked;
const EraseDialog = onDemand(() =>
  import("./erase_dialog.tsx").then((part) => part.EraseDialog)
);

export function Locked(
  { messenger, by, triesLeft }: {
    messenger: MessengerView;
    by: "passphrase" | "passkey";
    triesLeft?: number;
  },
) {
  const [other, setOther] = useState<"access-key" | "erase">();
  const [passphrase, setPassphrase] = useState("");
  const [busy, setBusy] = useState(false);
  const [mistake, setMistake] = useState<string>();

  if (other === "access-key") {
    return <LogIn sealed={messenger} onBack={() => setOther(undefined)} />;
  }

  const unlock = async () => {
    if (busy) return;
    // Cleared first, so that the same mistake made twice is said twice.
    setMistake(undefined);
    if (by === "passphrase" && passphrase === "") {
      return setMistake(words.missing);
    }
    setBusy(true);
    try {
      const outcome = await messenger.lock.unlock(passphrase);
      setMistake(mistakeOf(outcome));
      if (!outcome.ok && outcome.reason === "erased") await eraseTraces();
    } catch (error) {
      setMistake(words.broken);
      console.error("unlocking failed", error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Card title={words.title} lead={words.lead[by]} takeFocus>
      <form
        class="card-form"
        onSubmit={(event) => {
          event.preventDefault();
          void unlock();
        }}
      >
        {by === "passphrase" && (
          <Passphrase
            label={words.passphrase}
            hint={triesLeft === undefined
              ? undefined
              : words.triesLeft(triesLeft)}
            value={passphrase}
            invalid={mistake !== undefined}
            // A keyboard that covers half the screen comes only when asked for.
            autofocus={!hasTouchKeyboard()}
            onValue={setPassphrase}
          />
        )}
        {mistake && <Mistake>{mistake}</Mistake>}
        <div class="card-actions">
          <Button look="primary" type="submit" aria-busy={busy}>
            {busy ? words.unlocking : words.unlock}
          </Button>
        </div>
      </form>
      <div class="locked-more">
        <Button look="quiet" small onClick={() => setOther("access-key")}>
          {words.accessKey}
        </Button>
        <Button look="quiet" small onClick={() => setOther("erase")}>
          {textOnDemand.erase.open}
        </Button>
      </div>
      {other === "erase" && (
        <EraseDialog
          messenger={messenger}
          onClose={() => setOther(undefined)}
        />
      )}
    </Card>
  );
}

/** Nothing when it opened, or when another screen tells what happened. */
function mistakeOf(outcome: UnlockOutcome): string | undefined {
  if (outcome.ok || outcome.reason === "erased") return undefined;
  return outcome.reason === "wrong" ? words.wrong : words.noPasskey;
}
