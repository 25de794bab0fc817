/** Comparing the safety number: by reading it to each other, or by one scanning the other's code. */
import "./verify_dialog.css";
import { ScanLine, ShieldAlert, ShieldCheck } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import type {
  ContactView,
  SafetyNumberView,
  ScannedNumber,
} from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Mistake } from "../parts/field.tsx";
import { textOnDemand } from "../text/on_demand.ts";
import { QrCode } from "./qr_code.tsx";
import { Scanner } from "./scanner.tsx";

const words = textOnDemand.verify;

export function VerifyDialog(
  { contact, onClose }: { contact: ContactView; onClose: () => void },
) {
  const { name, verification } = contact.state.value;
  const [number, setNumber] = useState<SafetyNumberView>();
  const [scanning, setScanning] = useState(false);
  const [outcome, setOutcome] = useState<ScannedNumber>();
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    contact.safetyNumber().then(setNumber, () => setFailed(true));
  }, [contact]);

  const verified = verification === "verified";
  const mark = async (wanted: boolean) => {
    setFailed(false);
    setOutcome(undefined);
    await contact.setVerified(wanted).catch(() => setFailed(true));
  };
  const scanned = async (code: string): Promise<boolean> => {
    const found = await contact.compare(code);
    setOutcome(found);
    // Another code may stand beside the right one: one goes on looking.
    const over = found !== "no-number";
    if (over) setScanning(false);
    return over;
  };

  return (
    <Dialog title={words.title(name)} onClose={onClose}>
      <div role="status">
        {verified && (
          <p class="verify-state verify-good">
            <ShieldCheck size={20} aria-hidden="true" />
            {outcome === "same" ? words.same(name) : words.verified(name)}
          </p>
        )}
      </div>
      {outcome === "different" && (
        <p class="verify-state verify-bad" role="alert">
          <ShieldAlert size={20} aria-hidden="true" />
          {words.different(name)}
        </p>
      )}
      {failed && <Mistake>{words.failed}</Mistake>}
      {scanning
        ? (
          <Scanner
            words={{ ...words, aim: words.aim(name) }}
            foreign={outcome === "no-number" && words.noNumber(name)}
            onFound={scanned}
            onCancel={() => {
              setScanning(false);
              setOutcome(undefined);
            }}
          />
        )
        : (
          <>
            <p class="verify-lead">{words.lead(name)}</p>
            <Numbers number={number} />
            <Button
              look="outline"
              onClick={() => {
                setOutcome(undefined);
                setScanning(true);
              }}
            >
              <ScanLine size={18} aria-hidden="true" />
              {words.scan}
            </Button>
            <div class="verify-mark">
              <p>{verified ? words.clearHint : words.markHint}</p>
              {verified
                ? (
                  <Button look="quiet" onClick={() => mark(false)}>
                    {words.clear}
                  </Button>
                )
                : (
                  <Button look="primary" onClick={() => mark(true)}>
                    {words.mark}
                  </Button>
                )}
            </div>
          </>
        )}
    </Dialog>
  );
}

/** As much room before it is computed as after, so that nothing moves. */
function Numbers({ number }: { number: SafetyNumberView | undefined }) {
  const groups = number?.groups ?? Array.from({ length: 12 }, () => undefined);
  return (
    <div class="verify-number" aria-busy={!number}>
      <div class="verify-code">
        {number && <QrCode content={number.code} label={words.code} />}
      </div>
      <ol class="verify-digits" aria-label={words.digits}>
        {groups.map((group, i) => (
          <li key={i}>
            <span aria-hidden="true">
              {group ?? "\u00b7\u00b7\u00b7\u00b7\u00b7"}
            </span>
            {/* Digit by digit: as one number nobody could follow it. */}
            <span class="unseen">{group?.split("").join(" ")}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
