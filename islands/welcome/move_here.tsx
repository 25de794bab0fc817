/** Moving here: an account whose server is another one so far, by its access key. */
import { useState } from "preact/hooks";
import type { MoveOutcome } from "../../lib/client/view.ts";
import { openMessenger } from "../messenger_source.ts";
import { AccessKeyForm } from "../parts/access_key_form.tsx";
import { Button } from "../parts/button.tsx";
import { Field, Mistake } from "../parts/field.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { hasTouchKeyboard } from "../touch.ts";
import { Card } from "./card.tsx";

const words = textOnDemand.move;

type Found = Extract<MoveOutcome, { reason: "found" }>;

export function MoveHere({ onBack }: { onBack: () => void }) {
  const [server, setServer] = useState("");
  const [key, setKey] = useState("");
  const [password, setPassword] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [mistake, setMistake] = useState<string>();
  const [found, setFound] = useState<Found>();

  const submit = async (decided: boolean) => {
    if (busy) return;
    // Cleared first, so that the same mistake made twice is said twice.
    setMistake(undefined);
    if (server.trim() === "") return setMistake(words.serverMissing);
    if (key.trim() === "") return setMistake(textOnDemand.logIn.missing);
    setBusy(true);
    try {
      const messenger = await openMessenger();
      const outcome = decided
        ? await messenger.moveHere(key, server, password)
        : await messenger.findElsewhere(key, server, password);
      if (outcome.ok) return;
      // From now on there is a field for it.
      if (outcome.reason === "server-password") setPassword(password ?? "");
      if (outcome.reason === "found") setFound(outcome);
      else setMistake(words.failure(outcome, server.trim()));
    } catch (error) {
      setMistake(words.broken);
      console.error("moving failed", error);
    } finally {
      setBusy(false);
    }
  };

  if (found) {
    const { name, contacts, devices } = found;
    return (
      <Card
        key="found"
        title={words.foundTitle}
        lead={words.found(name, contacts, devices)}
        takeFocus
      >
        {words.follows(server.trim(), location.host).map((line) => (
          <p key={line}>{line}</p>
        ))}
        {mistake && <Mistake>{mistake}</Mistake>}
        <div class="card-actions">
          <Button look="quiet" onClick={() => setFound(undefined)}>
            {text.common.back}
          </Button>
          <Button
            look="primary"
            aria-busy={busy}
            onClick={() => void submit(true)}
          >
            {busy ? words.moving : words.action}
          </Button>
        </div>
      </Card>
    );
  }
  return (
    <Card
      key="ask"
      title={words.title}
      lead={words.lead(location.host)}
      takeFocus
    >
      <AccessKeyForm
        label={textOnDemand.logIn.label}
        hint={textOnDemand.logIn.hint}
        value={key}
        mistake={mistake}
        onInput={setKey}
        onSubmit={() => submit(false)}
        before={
          <>
            <Field
              label={words.server}
              hint={words.serverHint}
              value={server}
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              // A keyboard that covers half the screen comes only when asked for.
              autofocus={!hasTouchKeyboard()}
              onInput={(event) => setServer(event.currentTarget.value)}
            />
            {password !== undefined && (
              <Field
                label={words.password(location.host)}
                autocomplete="off"
                autocapitalize="off"
                spellcheck={false}
                value={password}
                onInput={(event) => setPassword(event.currentTarget.value)}
              />
            )}
          </>
        }
      >
        <div class="card-actions">
          <Button look="quiet" onClick={onBack}>{text.common.back}</Button>
          <Button look="primary" type="submit" aria-busy={busy}>
            {busy ? words.looking : words.look}
          </Button>
        </div>
      </AccessKeyForm>
    </Card>
  );
}
