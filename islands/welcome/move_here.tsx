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
type Failure = Exclude<MoveOutcome, { ok: true } | Found>;

/** What is wrong, and in which field if it is in one. */
interface Wrong {
  readonly says: string;
  readonly at?: "server" | "password" | "key";
}

function fieldOf({ reason }: Failure): Wrong["at"] {
  switch (reason) {
    case "server-malformed":
    case "server-is-this":
    case "server-unreachable":
    case "server-refused":
      return "server";
    case "server-password":
      return "password";
    case "mistyped":
    case "malformed":
    case "other-account":
    case "nothing-here":
      return "key";
    default:
      return undefined;
  }
}

export function MoveHere({ onBack }: { onBack: () => void }) {
  const [server, setServer] = useState("");
  const [key, setKey] = useState("");
  const [password, setPassword] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Wrong>();
  const [found, setFound] = useState<Found>();

  const submit = async (decided: boolean) => {
    if (busy) return;
    // Cleared first, so that the same mistake made twice is said twice.
    setWrong(undefined);
    if (server.trim() === "") {
      return setWrong({ says: words.serverMissing, at: "server" });
    }
    if (key.trim() === "") {
      return setWrong({ says: textOnDemand.logIn.missing, at: "key" });
    }
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
      else {
        const says = words.failure(outcome, server.trim());
        setWrong({ says, at: fieldOf(outcome) });
      }
    } catch (error) {
      setWrong({ says: words.broken });
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
        {wrong && <Mistake>{wrong.says}</Mistake>}
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
        mistake={wrong?.says}
        invalid={wrong?.at === "key"}
        onInput={setKey}
        onSubmit={() => submit(false)}
        before={
          <>
            <Field
              label={words.server}
              hint={words.serverHint}
              value={server}
              invalid={wrong?.at === "server"}
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
                invalid={wrong?.at === "password"}
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
