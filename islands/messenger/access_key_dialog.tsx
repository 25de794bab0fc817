/** Another access key: the present one is asked for, the next one is shown once, and then it takes its place. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { AnotherAccessKey, MessengerView } from "../../lib/client/view.ts";
import { accessKeyOutcome } from "../access_key_outcome.ts";
import { AccessKeyForm } from "../parts/access_key_form.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { KeyToKeep } from "../parts/key_to_keep.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.changeKey;

type Another = Extract<AnotherAccessKey, { ok: true }>;

export function AccessKeyDialog(
  { messenger, onClose }: { messenger: MessengerView; onClose: () => void },
) {
  const [another, setAnother] = useState<Another>();
  const begun = useRef<Another | undefined>(undefined);
  // Whoever leaves keeps the key there is, and the one that was shown is no more.
  useEffect(() => () => begun.current?.forget(), []);

  const begin = (next: Another) => {
    begun.current = next;
    setAnother(next);
  };
  if (!another) {
    return (
      <Present messenger={messenger} onClose={onClose} onAnother={begin} />
    );
  }
  return (
    <Next
      name={messenger.me.value?.name ?? ""}
      another={another}
      onClose={onClose}
      onCommit={() => {
        begun.current = undefined;
      }}
    />
  );
}

function Present({ messenger, onClose, onAnother }: {
  messenger: MessengerView;
  onClose: () => void;
  onAnother: (another: Another) => void;
}) {
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [mistake, setMistake] = useState<string>();

  const submit = async () => {
    if (busy) return;
    setMistake(undefined);
    if (key.trim() === "") return setMistake(words.missing);
    setBusy(true);
    try {
      const outcome = await messenger.changeAccessKey(key);
      if (outcome.ok) onAnother(outcome);
      else setMistake(words.failure(outcome));
    } catch (error) {
      setMistake(words.broken);
      console.error("the access key was not changed", error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog title={words.title} onClose={onClose}>
      <p>{words.lead}</p>
      <ul class="settings-list">
        {words.follows.map((each) => <li key={each}>{each}</li>)}
      </ul>
      <Removed
        names={messenger.devices.list.value.filter(({ own }) => !own)
          .map(({ name }) => name)}
      />
      <AccessKeyForm
        label={words.label}
        hint={words.hint}
        value={key}
        mistake={mistake}
        onInput={setKey}
        onSubmit={submit}
      >
        <div class="dialog-actions">
          <Button look="quiet" onClick={onClose}>{text.common.cancel}</Button>
          <Button look="primary" type="submit" aria-busy={busy}>
            {words.next}
          </Button>
        </div>
      </AccessKeyForm>
    </Dialog>
  );
}

/** The other devices, which do not follow. */
function Removed({ names }: { names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <>
      <p>{words.removes}</p>
      <ul class="settings-list">
        {names.map((name, i) => (
          <li key={i} dir="auto">{name || textOnDemand.devices.unnamed}</li>
        ))}
      </ul>
    </>
  );
}

function Next({ name, another, onClose, onCommit }: {
  name: string;
  another: Another;
  onClose: () => void;
  onCommit: () => void;
}) {
  const [stored, setStored] = useState(false);
  const commit = () => {
    onCommit();
    // Everything on the screen ends with it; what came of it is said on the next one.
    another.commit().then((changed) => {
      accessKeyOutcome.value = changed ? "changed" : "unchanged";
    }, (error) => {
      accessKeyOutcome.value = "unchanged";
      console.error("the access key was not changed", error);
    });
  };
  return (
    <Dialog title={words.nextTitle} onClose={onClose}>
      <p>{words.nextLead}</p>
      <Removed names={another.removes} />
      <KeyToKeep
        name={name}
        accessKey={another.accessKey}
        stored={stored}
        onStored={setStored}
      />
      <div class="dialog-actions">
        <Button look="quiet" onClick={onClose}>{text.common.cancel}</Button>
        <Button look="primary" disabled={!stored} onClick={commit}>
          {words.change}
        </Button>
      </div>
    </Dialog>
  );
}
