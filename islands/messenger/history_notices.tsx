/** What was said before a device came, on its way to it: asked for, confirmed, counted. */
import "./history_notices.css";
import type { DevicesView, HistoryView } from "../../lib/client/view.ts";
import { dates } from "../format/mod.ts";
import { Button } from "../parts/button.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { AskHistory } from "./ask_history.tsx";
import { Notice } from "./notice.tsx";

const words = textOnDemand.history;

type Giving = HistoryView["giving"][number];
type Taking = NonNullable<HistoryView["taking"]>;

export function HistoryNotices({ devices }: { devices: DevicesView }) {
  const { taking, giving } = devices.history.value;
  return (
    <>
      {giving.map((one) => (
        <GivingNotice key={one.to} giving={one} devices={devices} />
      ))}
      {taking
        ? <TakingNotice taking={taking} devices={devices} />
        : devices.missed.value
        ? <MissedNotice devices={devices} />
        : giving.length === 0 && <OfferNotice devices={devices} />}
    </>
  );
}

/** On a device that came beside others. */
function OfferNotice({ devices }: { devices: DevicesView }) {
  return (
    <Notice
      title={words.offer}
      actions={
        <>
          <AskHistory small devices={devices} />
          <Button small onClick={() => void devices.stopHistory()}>
            {text.common.dismiss}
          </Button>
        </>
      }
    >
      <p>{words.offerBody}</p>
    </Notice>
  );
}

/** On one that was away for longer than the server keeps what waits. */
function MissedNotice({ devices }: { devices: DevicesView }) {
  const others = devices.list.value.length > 1;
  return (
    <Notice
      title={words.missed}
      actions={
        <>
          {others && (
            <AskHistory small devices={devices} onAsked={devices.sawMissed} />
          )}
          <Button small onClick={() => void devices.sawMissed()}>
            {text.common.dismiss}
          </Button>
        </>
      }
    >
      <p>{others ? words.missedBody.others : words.missedBody.alone}</p>
    </Notice>
  );
}

function GivingNotice(
  { giving, devices }: { giving: Giving; devices: DevicesView },
) {
  const { to, at, given, total, since } = giving;
  const name = nameOf(devices, to);
  const refuse = () => void devices.refuseHistory(to);
  if (at === "giving") {
    return (
      <Notice
        title={words.giving(name)}
        actions={<Button small onClick={refuse}>{words.stop}</Button>}
      >
        <Count label={words.giving(name)} done={given} total={total} />
      </Notice>
    );
  }
  return (
    <Notice
      title={words.asked(name)}
      actions={
        <>
          <Button
            small
            look="primary"
            onClick={() => void devices.confirmHistory(to)}
          >
            {words.confirm}
          </Button>
          <Button small look="outline" onClick={refuse}>{words.refuse}</Button>
        </>
      }
    >
      <p>{words.askedBody(dates().full(since))}</p>
    </Notice>
  );
}

function TakingNotice(
  { taking, devices }: { taking: Taking; devices: DevicesView },
) {
  const { at, taken, total, from } = taking;
  const isOpen = at === "asked" || at === "taking";
  const name = nameOf(devices, from);
  return (
    <Notice
      title={words.title[at]}
      actions={
        <Button
          small
          look={isOpen ? "quiet" : "outline"}
          onClick={() => void devices.stopHistory()}
        >
          {isOpen ? words.stop : text.common.dismiss}
        </Button>
      }
    >
      <p>{words.body[at](name)}</p>
      {at === "taking" && (
        <Count label={words.title[at]} done={taken} total={total} />
      )}
    </Notice>
  );
}

function nameOf({ list }: DevicesView, device: number | undefined): string {
  return list.value.find(({ id }) => id === device)?.name ||
    textOnDemand.devices.unnamed;
}

/** Not read out at each step, but there for who asks. */
function Count(
  { label, done, total }: { label: string; done: number; total: number },
) {
  const said = words.count(done, total);
  return (
    <div class="history-count" aria-live="off">
      <progress
        aria-label={label}
        aria-valuetext={said}
        max={Math.max(1, total)}
        value={done}
      />
      <span>{said}</span>
    </div>
  );
}
