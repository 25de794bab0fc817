/** A labelled text field, and the mistake that was made in one. */
import "./field.css";
import type {
  ComponentChildren,
  InputHTMLAttributes,
  TextareaHTMLAttributes,
} from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

type Control = {
  label: string;
  hint?: string;
  /** Marks the field as wrong; the words are in a `Mistake` elsewhere. */
  invalid?: boolean;
  /** A key or code: monospaced, capitals, no correction by the keyboard. */
  code?: boolean;
};

const codeAttributes = {
  autocomplete: "off",
  autocapitalize: "characters",
  autocorrect: "off",
  spellcheck: false,
} as const;

function Frame(
  { label, hint, id, children }: {
    label: string;
    hint?: string;
    id: string;
    children: ComponentChildren;
  },
) {
  return (
    <div class="field">
      <label class="field-label" for={id}>{label}</label>
      {children}
      {hint && <span class="field-hint" id={`${id}-hint`}>{hint}</span>}
    </div>
  );
}

export function Field(
  { label, hint, invalid, code, hidden = false, children, ...rest }:
    & Control
    & {
      /** What is typed is not to be read over a shoulder. */
      hidden?: boolean;
      /** Lies over the end of the field. */
      children?: ComponentChildren;
    }
    & Pick<
      InputHTMLAttributes,
      | "value"
      | "maxLength"
      | "placeholder"
      | "autocomplete"
      | "autocapitalize"
      | "spellcheck"
      | "dir"
      | "disabled"
      | "autofocus"
      | "onInput"
    >,
) {
  const id = useId();
  const attributes = {
    id,
    class: `field-input${code ? " field-code" : ""}`,
    "aria-describedby": hint && `${id}-hint`,
    "aria-invalid": invalid,
    ...(code ? codeAttributes : {}),
    ...rest,
  };
  return (
    <Frame label={label} hint={hint} id={id}>
      <div class={`field-box${children ? " field-box-shared" : ""}`}>
        {hidden
          ? <input type="password" {...attributes} />
          : <input type="text" {...attributes} />}
        {children}
      </div>
    </Frame>
  );
}

export function Area(
  { label, hint, invalid, code, ...rest }:
    & Control
    & Pick<
      TextareaHTMLAttributes,
      "value" | "rows" | "autofocus" | "onInput" | "onKeyDown"
    >,
) {
  const id = useId();
  return (
    <Frame label={label} hint={hint} id={id}>
      <textarea
        id={id}
        class={`field-input${code ? " field-code" : ""}`}
        aria-describedby={hint && `${id}-hint`}
        aria-invalid={invalid}
        {...(code ? codeAttributes : {})}
        {...rest}
      />
    </Frame>
  );
}

/** Said at once by a screen reader, and scrolled into sight. Render it only when there is something wrong. */
export function Mistake({ children }: { children: ComponentChildren }) {
  const said = useRef<HTMLParagraphElement>(null);
  useEffect(() => said.current?.scrollIntoView({ block: "nearest" }), [
    children,
  ]);
  return <p class="mistake" role="alert" ref={said}>{children}</p>;
}
