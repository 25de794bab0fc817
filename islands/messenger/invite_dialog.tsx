/** Two people meet: one gives a code, the other enters it. Both sides are in one dialog. */
import "./invite_dialog.css";
import { Fragment } from "preact";
import { ScanLine } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { whatIsEntered } from "../../lib/client/invitation/link_text.ts";
import type { InviteView, OfferState } from "../../lib/client/view.ts";
import { followLink } from "../invitation_link.ts";
import { countdown, groups } from "../format/code.ts";
import { Button } from "../parts/button.tsx";
import { CopyButton } from "../parts/copy_button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Field, Mistake } from "../parts/field.tsx";
import { textOnDemand } from "../text/on_demand.ts";
import { Scanner } from "../verify/scanner.tsx";
import { GivenLinks } from "./given_links.tsx";
import { publicHost } from "./public_origin.ts";

const words = textOnDemand.invite;

export function InviteDialog(
  { invite, entering, onClose }: {
    invite: InviteView;
    /** It was opened to enter a code. */
    entering: boolean;
    onClose: () => void;
  },
) {
  const [scanning, setScanning] = useState(false);
  const [mistake, setMistake] = useState<string>();
  const close = () => {
    invite.reset();
    invite.invitations.peek()?.reset();
    onClose();
  };
  /** Whose link it is, and whether to ask them, is another dialog's. */
  const follow = (link: string) => {
    close();
    followLink(link);
  };
  const entered = (text: string) => {
    setScanning(false);
    const what = whatIsEntered(text);
    setMistake(
      what === "cut" || what === "other-link" ? words[what] : undefined,
    );
    if (what === "link") follow(text);
    if (what === "code") void invite.connect(text);
  };
  return (
    <Dialog title={words.title} onClose={close}>
      {scanning
        ? (
          <Scanner
            words={{ ...textOnDemand.verify, ...words.scanner }}
            foreign={false}
            onFound={(text) => {
              entered(text);
              return Promise.resolve(true);
            }}
            onCancel={() => setScanning(false)}
          />
        )
        : (
          <>
            <Give invite={invite} />
            <p class="invite-or" aria-hidden="true">{words.or}</p>
            <GivenLinks invite={invite} />
            <p class="invite-or" aria-hidden="true">{words.or}</p>
            <Enter
              invite={invite}
              entering={entering}
              mistake={mistake}
              onMistake={setMistake}
              onEntered={entered}
              onScan={() => setScanning(true)}
            />
          </>
        )}
    </Dialog>
  );
}

function Give({ invite }: { invite: InviteView }) {
  const offer = invite.offer.value;
  const making = offer.at === "making";
  const part = useRef<HTMLElement>(null);
  useFocusKept(part, offer.at);
  return (
    <section class="invite-part" ref={part}>
      <div class="invite-words">
        <h3 tabIndex={-1}>{words.giveTitle}</h3>
        <p>{words.giveLead(publicHost(invite))}</p>
      </div>
      {offer.at === "waiting" && <Code offer={offer} invite={invite} />}
      {offer.at === "connecting" && <p role="status">{words.connecting}</p>}
      {offer.at === "failed" && (
        <Mistake>{words.offerFailure[offer.reason]}</Mistake>
      )}
      {(offer.at === "none" || offer.at === "failed" || making) && (
        <Button
          look="primary"
          aria-busy={making}
          onClick={() => void invite.generate()}
        >
          {making ? words.generating : words.generate}
        </Button>
      )}
    </section>
  );
}

/** When a step takes away the button that was pressed, the focus goes on to what came in its place. */
function useFocusKept(
  part: { readonly current: HTMLElement | null },
  step: OfferState["at"],
): void {
  const former = useRef(step);
  useEffect(() => {
    if (former.current === step) return;
    former.current = step;
    const active = document.activeElement;
    if (active?.closest("dialog") && active.tagName !== "DIALOG") return;
    part.current
      ?.querySelector<HTMLElement>(
        step === "waiting" ? ".invite-code" : "h3",
      )?.focus();
  }, [step]);
}

function Code(
  { offer, invite }: {
    offer: Extract<OfferState, { at: "waiting" }>;
    invite: InviteView;
  },
) {
  const spoken = groups(offer.code, 5);
  return (
    <>
      <div
        class="invite-code"
        role="status"
        aria-label={words.codeLabel}
        tabIndex={-1}
        translate={false}
      >
        {spoken.map((group, i) => (
          <Fragment key={i}>
            {i > 0 && <span class="invite-code-joint">-</span>}
            <span class="invite-code-group">{group}</span>
          </Fragment>
        ))}
      </div>
      <div class="invite-left">
        <Countdown until={offer.expiresAt} />
        <div class="invite-buttons">
          <CopyButton small label={words.copy} value={spoken.join("-")} />
          <Button small look="quiet" onClick={() => void invite.withdraw()}>
            {words.cancel}
          </Button>
        </div>
      </div>
      <p>{words.waiting}</p>
      <p>{words.elsewhere(publicHost(invite))}</p>
    </>
  );
}

function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span class="invite-timer">
      <span aria-hidden="true">{words.expires}</span>{" "}
      <b role="timer" aria-label={words.expires}>{countdown(until, now)}</b>
    </span>
  );
}

function Enter(
  { invite, entering, mistake: entered, onMistake, onEntered, onScan }: {
    invite: InviteView;
    entering: boolean;
    /** What is wrong with what was entered, as it stands there. */
    mistake: string | undefined;
    onMistake: (mistake: string | undefined) => void;
    onEntered: (text: string) => void;
    onScan: () => void;
  },
) {
  const [code, setCode] = useState("");
  const join = invite.join.value;
  const connecting = join.at === "connecting";
  const mistake = entered ??
    (join.at === "failed" ? words.joinFailure[join.reason] : undefined);
  const connect = () => {
    if (connecting) return;
    if (code.trim() === "") onMistake(words.codeMissing);
    else onEntered(code);
  };
  return (
    <section class="invite-part">
      <h3>{words.enterTitle}</h3>
      <form
        class="invite-part"
        onSubmit={(event) => {
          event.preventDefault();
          connect();
        }}
      >
        <div class="invite-enter">
          <Field
            label={words.enter}
            code
            value={code}
            placeholder={words.enterPlaceholder}
            maxLength={300}
            autofocus={entering}
            invalid={mistake !== undefined}
            onInput={(event) => {
              setCode(event.currentTarget.value);
              onMistake(undefined);
            }}
          />
          <Button look="primary" type="submit" aria-busy={connecting}>
            {words.connect}
          </Button>
        </div>
        {connecting && <p role="status">{words.connecting}</p>}
        {mistake && !connecting && <Mistake>{mistake}</Mistake>}
      </form>
      <Button look="quiet" onClick={onScan}>
        <ScanLine size={18} aria-hidden="true" />
        {words.scan}
      </Button>
    </section>
  );
}
