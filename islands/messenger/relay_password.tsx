/** Asks for the password of a private relay. */
import "./relay_password.css";
import { useLayoutEffect, useState } from "preact/hooks";
import type { MessengerView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { Field, Mistake } from "../parts/field.tsx";
import { textOnDemand } from "../text/on_demand.ts";
import { focusList } from "./focus_list.ts";

const words = textOnDemand.relayPassword;

export function RelayPassword({ messenger }: { messenger: MessengerView }) {
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [mistake, setMistake] = useState<keyof typeof words.mistakes>();

  // It goes with the field and the button once the password is right.
  useLayoutEffect(() => () => queueMicrotask(focusList), []);

  const use = async () => {
    if (busy) return;
    // Cleared first, so that the same mistake made twice is said twice.
    setMistake(undefined);
    if (password.trim() === "") return setMistake("missing");
    setBusy(true);
    try {
      const outcome = await messenger.usePassword(password);
      if (outcome !== "accepted") setMistake(outcome);
    } catch (error) {
      setMistake("later");
      console.error("the password could not be tried", error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      class="relay-password"
      onSubmit={(event) => {
        event.preventDefault();
        void use();
      }}
    >
      <p>{words.lead}</p>
      <Field
        label={words.label}
        // It was read out or copied: to be seen, and not to be kept or corrected by the browser.
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        value={password}
        invalid={mistake !== undefined}
        onInput={(event) => setPassword(event.currentTarget.value)}
      />
      <Button look="primary" type="submit" aria-busy={busy}>
        {busy ? words.using : words.use}
      </Button>
      {mistake && <Mistake>{words.mistakes[mistake]}</Mistake>}
    </form>
  );
}
