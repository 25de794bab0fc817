/** The devices of the account among the settings, and how one is removed. */
import "./devices_settings.css";
import { useState } from "preact/hooks";
import type { DevicesView, DeviceView } from "../../lib/client/view.ts";
import { minute } from "../clock.ts";
import { dates } from "../format/mod.ts";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Area, Mistake } from "../parts/field.tsx";
import { announce } from "../parts/loudspeaker.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.devices;

const HALF_A_DAY_MS = 43_200_000;

export function DevicesSettings(
  { devices, onRemove }: {
    devices: DevicesView;
    onRemove: (device: DeviceView) => void;
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
            {!device.own && (
              <Button
                small
                look="outline"
                aria-label={words.removeNamed(nameOf(device))}
                onClick={() => onRemove(device)}
              >
                {words.remove}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <p class="settings-hint">{words.hint}</p>
    </section>
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
      <form
        class="card-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Area
          label={words.key}
          code
          rows={2}
          value={key}
          invalid={mistake !== undefined}
          autofocus
          onInput={(event) => setKey(event.currentTarget.value)}
        />
        {mistake && <Mistake>{mistake}</Mistake>}
        <div class="dialog-actions">
          <Button look="quiet" onClick={onClose}>{text.common.cancel}</Button>
          <Button look="danger" type="submit" aria-busy={busy}>
            {busy ? words.removing : words.removeDevice}
          </Button>
        </div>
      </form>
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
  return words.lastUsed(dates().day(lastUsed + HALF_A_DAY_MS, minute.value));
}
