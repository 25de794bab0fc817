/** One of a few, from a list that the platform opens. */
import "./field.css";
import { ChevronDown } from "lucide-preact";
import { useId } from "preact/hooks";

export function Choice<Value extends number | string>(
  { label, hint, value, options, onChoose }: {
    label: string;
    hint?: string;
    value: Value;
    options: readonly { readonly value: Value; readonly label: string }[];
    onChoose: (value: Value) => void;
  },
) {
  const id = useId();
  return (
    <div class="field">
      <label class="field-label" for={id}>{label}</label>
      <div class="field-box field-box-shared">
        <select
          id={id}
          class="field-input"
          aria-describedby={hint && `${id}-hint`}
          onChange={(event) => {
            const { selectedIndex } = event.currentTarget;
            onChoose(options[selectedIndex].value);
          }}
        >
          {options.map((option) => (
            <option key={option.value} selected={option.value === value}>
              {option.label}
            </option>
          ))}
        </select>
        <ChevronDown class="field-arrow" size={18} aria-hidden="true" />
      </div>
      {hint && <span class="field-hint" id={`${id}-hint`}>{hint}</span>}
    </div>
  );
}
