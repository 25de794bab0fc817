/** The way back in: the access key, and exactly where it was mistyped. */
import { useState } from "preact/hooks";
import type {
  ComeBack,
  LogInOutcome,
  MessengerView,
} from "../../lib/client/view.ts";
import { openMessenger } from "../messenger_source.ts";
import { goBack } from "../navigation.ts";
import { AccessKeyForm } from "../parts/access_key_form.tsx";
import { Button } from "../parts/button.tsx";
import { Mistake } from "../parts/field.tsx";
import { onDemand } from "../parts/on_demand.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { hasTouchKeyboard } from "../touch.ts";
import { Card } from "./card.tsx";
import { MoveHere } from "./move_here.tsx";

const words = textOnDemand.logIn;
const EraseDialog = onDemand(() =>
  import("../screens/erase_dialog.tsx").then((part) => part.EraseDialog)
);

type Found = Extract<LogInOutcome, { reason: "found" }>;

/**
 * `sealed`: it holds an account, which is stored here. `onBack`: where else there is to go; by default
 * nowhere when sealed, and then all of it can be erased.
 */
export function LogIn(
  { sealed, onBack = sealed ? undefined : goBack }: {
    sealed?: MessengerView;
    onBack?: () => void;
  },
) {
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [mistake, setMistake] = useState<string>();
  const [found, setFound] = useState<Found>();
  const [elsewhere, setElsewhere] = useState(false);
  const [erasing, setErasing] = useState(false);

  const submit = async (how?: ComeBack) => {
    if (busy) return;
    // Cleared first, so that the same mistake made twice is said twice.
    setMistake(undefined);
    if (key.trim() === "") return setMistake(words.missing);
    setBusy(true);
    try {
      const messenger = await openMessenger();
      const outcome = how
        ? await messenger.comeBack(key, how)
        : await messenger.logIn(key);
      if (outcome.ok) return;
      if (outcome.reason === "found") setFound(outcome);
      else setMistake(words.failure(outcome));
    } catch (error) {
      setMistake(words.broken);
      console.error("logging in failed", error);
    } finally {
      setBusy(false);
    }
  };

  if (elsewhere) return <MoveHere onBack={() => setElsewhere(false)} />;
  if (found) {
    return (
      <FoundAccount
        found={found}
        busy={busy}
        mistake={mistake}
        onBack={() => setFound(undefined)}
        onChoose={(how) => void submit(how)}
      />
    );
  }
  return (
    <Card
      title={sealed ? words.sealedTitle : words.title}
      lead={sealed ? words.sealedLead : words.lead}
      takeFocus
    >
      <AccessKeyForm
        label={words.label}
        hint={words.hint}
        value={key}
        mistake={mistake}
        // A keyboard that covers half the screen comes only when asked for.
        autofocus={!hasTouchKeyboard()}
        onInput={setKey}
        onSubmit={submit}
      >
        <div class="card-actions">
          {onBack && (
            <Button look="quiet" onClick={onBack}>{text.common.back}</Button>
          )}
          <Button look="primary" type="submit" aria-busy={busy}>
            {busy ? words.submitting : words.submit}
          </Button>
        </div>
      </AccessKeyForm>
      {!sealed && (
        <Button look="quiet" onClick={() => setElsewhere(true)}>
          {textOnDemand.move.elsewhere}
        </Button>
      )}
      {sealed && !onBack && (
        <>
          <p class="card-lead">{words.sealedOther}</p>
          <Button look="quiet" onClick={() => setErasing(true)}>
            {textOnDemand.erase.open}
          </Button>
        </>
      )}
      {sealed && erasing && (
        <EraseDialog
          messenger={sealed}
          onClose={() => setErasing(false)}
        />
      )}
    </Card>
  );
}

/** Asks before anything is created here, and says what going on costs. */
function FoundAccount(
  { found: { name, contacts, devices }, busy, mistake, onBack, onChoose }: {
    found: Found;
    busy: boolean;
    mistake: string | undefined;
    onBack: () => void;
    onChoose: (how: ComeBack) => void;
  },
) {
  const { found } = words;
  return (
    <Card
      title={found.title}
      lead={found.lead(name, contacts, devices)}
      takeFocus
    >
      <p>{found.beside}</p>
      <p>{found.instead}</p>
      <p>{found.anew}</p>
      {mistake && <Mistake>{mistake}</Mistake>}
      <div class="card-actions">
        <Button look="quiet" onClick={onBack}>{text.common.back}</Button>
        <Button
          look="outline"
          disabled={busy}
          onClick={() => onChoose("instead")}
        >
          {found.replace}
        </Button>
        <Button
          look="primary"
          aria-busy={busy}
          onClick={() => onChoose("beside")}
        >
          {busy ? found.submitting : found.addBeside}
        </Button>
      </div>
    </Card>
  );
}
