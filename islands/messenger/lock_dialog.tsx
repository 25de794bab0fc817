/** Setting, changing or removing the lock. */
import { useState } from "preact/hooks";
import type { LockChange, LockView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Mistake } from "../parts/field.tsx";
import { announce } from "../parts/loudspeaker.tsx";
import { Passphrase } from "../parts/passphrase.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import type { LockTask } from "./lock_settings.tsx";

const words = textOnDemand.lock;

/** `onDone`: the lock was removed. Once one is set the messenger begins anew, without any dialog. */
export function LockDialog(
  { lock, task, onCancel, onDone }: {
    lock: LockView;
    task: LockTask;
    onCancel: () => void;
    onDone: () => void;
  },
) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [busy, setBusy] = useState(false);
  const [mistake, setMistake] = useState<string>();
  const locked = lock.kind.value === "passphrase";
  const { title, lead, act } = words.tasks[task];

  const change = (): Promise<LockChange> => {
    const now = locked ? current : undefined;
    switch (task) {
      case "passphrase":
        return lock.setPassphrase(next, now);
      case "passkey":
        return lock.setPasskey(now);
      case "remove":
        return lock.remove(now);
    }
  };
  const submit = async () => {
    if (busy) return;
    setMistake(undefined);
    if (task === "passphrase" && next !== again) {
      return setMistake(words.different);
    }
    setBusy(true);
    try {
      const outcome = await change();
      if (!outcome.ok) return setMistake(words.refused[outcome.reason]);
      announce(words.done[task]);
      onDone();
    } catch (error) {
      setMistake(textOnDemand.settings.failed);
      console.error("changing the lock failed", error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog title={title} onClose={onCancel}>
      <p>{lead}</p>
      <form
        class="card-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {locked && (
          <Passphrase
            label={words.current}
            value={current}
            autofocus
            onValue={setCurrent}
          />
        )}
        {task === "passphrase" && (
          <>
            <Passphrase
              label={words.next}
              hint={words.nextHint}
              value={next}
              autofocus={!locked}
              onValue={setNext}
            />
            <Passphrase
              label={words.again}
              value={again}
              onValue={setAgain}
            />
          </>
        )}
        {mistake && <Mistake>{mistake}</Mistake>}
        <div class="dialog-actions">
          <Button look="quiet" onClick={onCancel}>{text.common.cancel}</Button>
          <Button
            look={task === "remove" ? "danger" : "primary"}
            type="submit"
            aria-busy={busy}
          >
            {busy ? words.busy : act}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
