/** A field for a passphrase, which can be looked at while it is typed. */
import { Eye, EyeOff } from "lucide-preact";
import { useState } from "preact/hooks";
import { textOnDemand } from "../text/on_demand.ts";
import { IconButton } from "./button.tsx";
import { Field } from "./field.tsx";

export function Passphrase(
  { label, hint, value, invalid, autofocus, onValue }: {
    label: string;
    hint?: string;
    value: string;
    invalid?: boolean;
    autofocus?: boolean;
    onValue: (value: string) => void;
  },
) {
  const [shown, setShown] = useState(false);
  return (
    <Field
      label={label}
      hint={hint}
      hidden={!shown}
      // A browser that kept it beside what it locks would open the lock for everybody.
      autocomplete="off"
      autocapitalize="off"
      spellcheck={false}
      value={value}
      invalid={invalid}
      autofocus={autofocus}
      onInput={(event) => onValue(event.currentTarget.value)}
    >
      <IconButton
        label={shown
          ? textOnDemand.lock.hide(label)
          : textOnDemand.lock.show(label)}
        onClick={() => setShown(!shown)}
      >
        {shown ? <EyeOff size={20} /> : <Eye size={20} />}
      </IconButton>
    </Field>
  );
}
