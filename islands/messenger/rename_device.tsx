/** What this device is called among those of the account. */
import "./contact_dialog.css";
import { useState } from "preact/hooks";
import type { DevicesView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Field, Mistake } from "../parts/field.tsx";
import { announce } from "../parts/loudspeaker.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.devices;

export function RenameDevice(
  { devices, name, onClose }: {
    devices: DevicesView;
    name: string;
    onClose: () => void;
  },
) {
  const [wanted, setWanted] = useState(name);
  const [mistake, setMistake] = useState<string>();
  const submit = async () => {
    try {
      await devices.rename(wanted);
      announce(words.renamed(wanted));
      onClose();
    } catch (error) {
      const wrong = error instanceof RangeError;
      setMistake(wrong ? words.renameWrong : textOnDemand.settings.failed);
      if (!wrong) console.error("renaming a device failed", error);
    }
  };
  return (
    <Dialog title={words.renameThis} onClose={onClose}>
      <form
        class="contact-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Field
          label={words.renameLabel}
          hint={words.renameHint}
          value={wanted}
          maxLength={64}
          autocomplete="off"
          dir="auto"
          autofocus
          invalid={mistake !== undefined}
          onInput={(event) => {
            setWanted(event.currentTarget.value);
            setMistake(undefined);
          }}
        />
        {mistake && <Mistake>{mistake}</Mistake>}
        <div class="dialog-actions">
          <Button look="quiet" onClick={onClose}>{text.common.cancel}</Button>
          <Button look="primary" type="submit">{words.renameSubmit}</Button>
        </div>
      </form>
    </Dialog>
  );
}
