/** Asks for an access key. Enter sends it, wherever it is asked for. */
import type { ComponentChildren } from "preact";
import { Area, Mistake } from "./field.tsx";

export function AccessKeyForm(
  {
    label,
    hint,
    value,
    mistake,
    invalid = mistake !== undefined,
    autofocus,
    onInput,
    onSubmit,
    before,
    children,
  }: {
    label: string;
    hint?: string;
    value: string;
    mistake: string | undefined;
    /** Whether the mistake is in the key. */
    invalid?: boolean;
    autofocus?: boolean;
    onInput: (key: string) => void;
    onSubmit: () => Promise<void>;
    /** Above the field: what is asked for beside the key. */
    before?: ComponentChildren;
    /** Below the field: what there is to press. */
    children: ComponentChildren;
  },
) {
  return (
    <form
      class="card-form"
      onSubmit={(event) => {
        event.preventDefault();
        void onSubmit();
      }}
    >
      {before}
      <Area
        label={label}
        hint={hint}
        code
        rows={2}
        value={value}
        invalid={invalid}
        autofocus={autofocus}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          void onSubmit();
        }}
      />
      {mistake && <Mistake>{mistake}</Mistake>}
      {children}
    </form>
  );
}
