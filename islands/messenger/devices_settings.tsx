/** The devices of the account among the settings, and how one is removed. */
import "./devices_settings.css";
import { useEffect, useRef, useState } from "preact/hooks";
import type { DevicesView, DeviceView } from "../../lib/client/view.ts";
import { minute } from "../clock.ts";
import { dates } from "../format/mod.ts";
import { AccessKeyForm } from "../parts/access_key_form.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { announce } from "../parts/loudspeaker.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { AskHistory } from "./ask_history.tsx";

const words = textOnDemand.devices;

const HALF_A_DAY_MS = 43_200_000;

/** A device that was not used for so long may be lost. */
const LONG_MS = 30 * 86_400_000;

export function DevicesSettings(
  { devices, onAsk }: {
    devices: DevicesView;
    /** This device is to be called otherwise, or another one to be removed. */
    onAsk: (device: DeviceView) => void;
  },
) {
  return (
    <section class="settings-group">
      <h3 id="settings-devices">{words.title}</h3>
      <ul class="settings-devices" aria-labelledby="settings-devices">
        {devices.list.value.map((device) => (
          <li key={device.id}>
            <div>
              <p class="settings-device-name" dir="auto">{nameOf(device)}</p>
              <p class="settings-hint">{useOf(device)}</p>
            </div>
            <Button
              small
              look="outline"
              aria-label={device.own
                ? words.renameThis
                : words.removeNamed(nameOf(device))}
              onClick={() => onAsk(device)}
            >
              {device.own ? words.rename : words.remove}
            </Button>
          </li>
        ))}
      </ul>
      <p class="settings-hint">{words.hint}</p>
      {mayLack(devices) && <History devices={devices} />}
    </section>
  );
}

/** Whether others may have what this device does not: the first of them was there before they came. */
function mayLack({ list, missed, history }: DevicesView): boolean {
  const [own, ...others] = list.value;
  return history.value.taking !== undefined ||
    others.length > 0 && (missed.value || others.some(({ id }) => id < own.id));
}

/** Asks for the past, or says how it stands with it. */
function History({ devices }: { devices: DevicesView }) {
  const { taking } = devices.history.value;
  const said = useRef<HTMLParagraphElement>(null);
  const asked = useRef(false);
  useEffect(() => {
    // The button that was pressed is gone.
    if (taking && asked.current) said.current?.focus();
    asked.current = false;
  }, [taking?.at]);
  const { title, body } = textOnDemand.history;
  const from = devices.list.value.find(({ id }) => id === taking?.from);
  if (taking) {
    return (
      <p class="settings-hint" role="status" tabIndex={-1} ref={said}>
        {title[taking.at]}. {body[taking.at](from?.name || words.unnamed)}
      </p>
    );
  }
  return (
    <div
      class="settings-buttons"
      onClick={() => {
        asked.current = true;
      }}
    >
      <AskHistory devices={devices} />
    </div>
  );
}

export function RemoveDevice(
  { devices, device, onClose }: {
    devices: DevicesView;
    device: DeviceView;
    onClose: () => void;
  },
) {
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [mistake, setMistake] = useState<string>();
  const submit = async () => {
    if (busy) return;
    setMistake(undefined);
    if (key.trim() === "") return setMistake(words.keyMissing);
    setBusy(true);
    try {
      const outcome = await devices.remove(device.id, key);
      if (!outcome.ok) return setMistake(words.failure(outcome));
      announce(words.removed(nameOf(device)));
      onClose();
    } catch (error) {
      setMistake(textOnDemand.settings.failed);
      console.error("removing a device failed", error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={words.removeNamed(nameOf(device))} onClose={onClose}>
      <p>{words.removeLead}</p>
      <AccessKeyForm
        label={words.key}
        value={key}
        mistake={mistake}
        autofocus
        onInput={setKey}
        onSubmit={submit}
      >
        <div class="dialog-actions">
          <Button look="quiet" onClick={onClose}>{text.common.cancel}</Button>
          <Button look="danger" type="submit" aria-busy={busy}>
            {busy ? words.removing : words.removeDevice}
          </Button>
        </div>
      </AccessKeyForm>
    </Dialog>
  );
}

function nameOf({ name }: DeviceView): string {
  return name || words.unnamed;
}

function useOf({ own, lastUsed }: DeviceView): string {
  if (own) return words.own;
  if (lastUsed === 0) return words.neverHeard;
  // The middle of that day, which is the same day nearly everywhere.
  const day = dates().day(lastUsed + HALF_A_DAY_MS, minute.value);
  return minute.value - lastUsed > LONG_MS
    ? words.longUnused(day)
    : words.lastUsed(day);
}
