/** From a name to an account: the name, then the access key that is shown this once. */
import { useState } from "preact/hooks";
import type { NewAccount } from "../../lib/client/view.ts";
import { openMessenger } from "../messenger_source.ts";
import { goBack } from "../navigation.ts";
import { Button } from "../parts/button.tsx";
import { Field, Mistake } from "../parts/field.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { AccessKey } from "./access_key.tsx";
import { hasTouchKeyboard } from "../touch.ts";
import { Card } from "./card.tsx";

const words = textOnDemand.create;

export function CreateAccount() {
  const [name, setName] = useState("");
  const [account, setAccount] = useState<NewAccount>();
  const [busy, setBusy] = useState(false);
  const [mistake, setMistake] = useState<string>();

  if (account) return <AccessKey name={name.trim()} account={account} />;

  const create = async () => {
    if (busy) return;
    if (name.trim() === "") return setMistake(words.nameMissing);
    setMistake(undefined);
    setBusy(true);
    try {
      const messenger = await openMessenger();
      setAccount(await messenger.newAccount(name.trim()));
    } catch (error) {
      setMistake(words.exists);
      console.error("no account was created", error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Card title={words.title} lead={words.lead} takeFocus>
      <form
        class="card-form"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Field
          label={words.name}
          hint={words.nameHint}
          value={name}
          maxLength={64}
          // Else Chromium keeps the name among its form data, in clear.
          autocomplete="off"
          dir="auto"
          invalid={mistake !== undefined}
          // A keyboard that covers half the screen comes only when asked for.
          autofocus={!hasTouchKeyboard()}
          onInput={(event) => {
            setName(event.currentTarget.value);
            setMistake(undefined);
          }}
        />
        {mistake && <Mistake>{mistake}</Mistake>}
        <div class="card-actions">
          <Button look="quiet" onClick={goBack}>{text.common.back}</Button>
          <Button look="primary" type="submit" aria-busy={busy}>
            {busy ? words.submitting : words.submit}
          </Button>
        </div>
      </form>
    </Card>
  );
}
