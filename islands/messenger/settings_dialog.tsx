/** The person's choices, and the way out. */
import "./settings_dialog.css";
import type { ReadonlySignal } from "@preact/signals";
import { Moon, Sun, SunMoon } from "lucide-preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type {
  Alarm,
  DeviceView,
  MessengerView,
} from "../../lib/client/view.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Mistake } from "../parts/field.tsx";
import { storagePromise } from "../storage_promise.ts";
import { ExportDialog, ExportSection } from "./export_data.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { EraseDialog } from "../screens/erase_dialog.tsx";
import { setTheme, type Theme, theme } from "../theme.ts";
import { DevicesSettings, RemoveDevice } from "./devices_settings.tsx";
import { RenameDevice } from "./rename_device.tsx";
import { AccessKeyDialog } from "./access_key_dialog.tsx";
import { MoveDialog } from "./move_dialog.tsx";
import { ServerSettings } from "./server_settings.tsx";
import { LockDialog } from "./lock_dialog.tsx";
import { LockSettings, type LockTask } from "./lock_settings.tsx";

const words = textOnDemand.settings;
const { storage } = textOnDemand.notices;

/** What stands in the place of the choices. */
type Beside =
  | LockTask
  | "change-key"
  | "log-out"
  | "erase"
  | "move"
  | "export"
  | DeviceView;

export function SettingsDialog(
  { messenger, onClose }: { messenger: MessengerView; onClose: () => void },
) {
  const [beside, setBeside] = useState<Beside>();
  const pressed = useRef<string | undefined>(undefined);
  const leave = (to: Beside) => {
    pressed.current = nameOf(document.activeElement);
    setBeside(to);
  };
  const back = () => setBeside(undefined);
  if (typeof beside === "object" && beside.own) {
    return (
      <RenameDevice
        key="name"
        devices={messenger.devices}
        name={beside.chosenName}
        onClose={back}
      />
    );
  }
  if (typeof beside === "object") {
    return (
      <RemoveDevice
        key="device"
        devices={messenger.devices}
        device={beside}
        onClose={back}
      />
    );
  }
  switch (beside) {
    case undefined:
      return (
        <Choices
          key="choices"
          messenger={messenger}
          pressed={pressed.current}
          onClose={onClose}
          onBeside={leave}
        />
      );
    case "log-out":
      return <LogOut key={beside} messenger={messenger} onCancel={back} />;
    case "change-key":
      return (
        <AccessKeyDialog key={beside} messenger={messenger} onClose={back} />
      );
    case "move":
      return <MoveDialog key={beside} onClose={back} />;
    case "export":
      return <ExportDialog key={beside} messenger={messenger} onClose={back} />;
    case "erase":
      return <EraseDialog key={beside} messenger={messenger} onClose={back} />;
    default:
      return (
        <LockDialog
          key={beside}
          lock={messenger.lock}
          task={beside}
          onCancel={back}
          onDone={back}
        />
      );
  }
}

/** What assistive technology calls a button. */
function nameOf(button: Element | null): string | undefined {
  return button?.getAttribute("aria-label") ?? button?.textContent ?? undefined;
}

/** `pressed`: the name of the button by which they were left, where who comes back goes on. */
function Choices(
  { messenger, pressed, onClose, onBeside }: {
    messenger: MessengerView;
    pressed: string | undefined;
    onClose: () => void;
    onBeside: (beside: Beside) => void;
  },
) {
  const { settings } = messenger;
  useLayoutEffect(() => {
    if (pressed === undefined) return;
    // After the dialog's own effect, which puts the focus at its head.
    const buttons = document.querySelectorAll<HTMLElement>(
      "dialog[open] button",
    );
    [...buttons].find((button) => nameOf(button) === pressed)?.focus();
  }, []);
  const name = messenger.me.value?.name ?? "";
  return (
    <Dialog title={words.title} onClose={onClose}>
      <section class="settings-group">
        <h3>{words.name}</h3>
        <div class="settings-person">
          <Avatar id={name} name={name} />
          <div>
            <p class="settings-name" dir="auto">{name}</p>
            <p class="settings-hint">{words.nameHint}</p>
          </div>
        </div>
      </section>
      <Themes />
      <section class="settings-group">
        <h3>{words.receipts}</h3>
        <Switch
          label={words.deliveryReceipts}
          hint={words.deliveryHint}
          on={settings.deliveryReceipts}
          set={(on) => settings.setDeliveryReceipts(on)}
        />
        <Switch
          label={words.readReceipts}
          hint={words.readHint}
          on={settings.readReceipts}
          set={(on) => settings.setReadReceipts(on)}
        />
      </section>
      <section class="settings-group">
        <h3>{words.device}</h3>
        <LockSettings lock={messenger.lock} onTask={onBeside} />
        {storagePromise.value === "kept" && (
          <p class="settings-hint">{words.stored}</p>
        )}
        {storagePromise.value === "refused" && (
          <p class="settings-hint">
            {storage.title}. {storage.body}
          </p>
        )}
      </section>
      <DevicesSettings devices={messenger.devices} onAsk={onBeside} />
      <ExportSection onAsk={() => onBeside("export")} />
      <Backup messenger={messenger} />
      <ServerSettings
        left={messenger.left.value}
        onMove={() => onBeside("move")}
      />
      <section class="settings-group">
        <h3>{words.account}</h3>
        <p class="settings-hint">{words.changeKeyHint}</p>
        <div class="settings-buttons">
          <Button look="outline" onClick={() => onBeside("change-key")}>
            {words.changeKey}
          </Button>
        </div>
        <p class="settings-hint">{words.logOutHint}</p>
        <div class="settings-buttons">
          <Button look="outline" onClick={() => onBeside("log-out")}>
            {words.logOut}
          </Button>
          <Button look="quiet" onClick={() => onBeside("erase")}>
            {textOnDemand.erase.open}
          </Button>
        </div>
      </section>
    </Dialog>
  );
}

function Backup({ messenger }: { messenger: MessengerView }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const backup = messenger.backup.value;
  const standing = messenger.standing.value;
  const state = backup.at === "failed" ? backup.reason : backup.at;
  const putAway = async (alarm: Alarm) => {
    await messenger.putAway(alarm);
    // The button that was pressed is gone.
    heading.current?.focus();
  };
  return (
    <section class="settings-group">
      <h3 ref={heading} tabIndex={-1}>{words.backup}</h3>
      <p class="settings-hint">{words.backupStates[state]}</p>
      <p class="settings-hint">{words.backupUse}</p>
      {backup.wentBack && (
        <Alarming
          says={words.backupWentBack}
          onPutAway={() => putAway("went-back")}
        />
      )}
      {standing !== "current" && (
        <Alarming
          says={words.standings[standing]}
          onPutAway={() => putAway("standing")}
        />
      )}
    </section>
  );
}

/** What went wrong, until the person has seen it. */
function Alarming(
  { says, onPutAway }: { says: string; onPutAway: () => Promise<void> },
) {
  const id = useId();
  const [failed, setFailed] = useState(false);
  return (
    <>
      <div id={id}>
        <Mistake>{says}</Mistake>
      </div>
      <div class="settings-buttons">
        <Button
          small
          look="outline"
          aria-describedby={id}
          onClick={() => {
            setFailed(false);
            onPutAway().catch(() => setFailed(true));
          }}
        >
          {text.common.dismiss}
        </Button>
      </div>
      {failed && <Mistake>{words.failed}</Mistake>}
    </>
  );
}

const themeIcons = { dark: Moon, light: Sun, system: SunMoon };

function Themes() {
  const name = useId();
  return (
    <fieldset class="settings-group">
      <legend>{words.appearance}</legend>
      <div class="themes">
        {(Object.keys(themeIcons) as Theme[]).map((choice) => {
          const Icon = themeIcons[choice];
          return (
            <label key={choice} class="theme-choice">
              <input
                type="radio"
                name={name}
                checked={theme.value === choice}
                onChange={() => setTheme(choice)}
              />
              <Icon size={18} aria-hidden="true" />
              {words.themes[choice]}
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}

function Switch(
  { label, hint, on, set }: {
    label: string;
    hint: string;
    on: ReadonlySignal<boolean>;
    set: (on: boolean) => Promise<void>;
  },
) {
  const id = useId();
  const [failed, setFailed] = useState(false);
  return (
    <>
      <label class="switch">
        <span class="switch-words">
          <span class="switch-label" id={id}>{label}</span>
          <span class="settings-hint" id={`${id}-hint`}>{hint}</span>
        </span>
        <input
          type="checkbox"
          role="switch"
          aria-labelledby={id}
          aria-describedby={`${id}-hint`}
          checked={on.value}
          onChange={async (event) => {
            setFailed(false);
            try {
              await set(event.currentTarget.checked);
            } catch {
              setFailed(true);
            }
          }}
        />
      </label>
      {failed && <Mistake>{words.failed}</Mistake>}
    </>
  );
}

function LogOut(
  { messenger, onCancel }: { messenger: MessengerView; onCancel: () => void },
) {
  const [failed, setFailed] = useState(false);
  const logOut = async () => {
    setFailed(false);
    try {
      await messenger.logOut();
    } catch {
      setFailed(true);
    }
  };
  return (
    <Dialog title={words.logOutTitle} onClose={onCancel}>
      <p>{words.logOutBody}</p>
      {failed && <Mistake>{words.logOutFailed}</Mistake>}
      <div class="dialog-actions">
        <Button look="quiet" onClick={onCancel}>{text.common.cancel}</Button>
        <Button look="danger" onClick={logOut}>
          {words.logOut}
        </Button>
      </div>
    </Dialog>
  );
}
