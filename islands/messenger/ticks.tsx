/** How far an own message has come, as a picture. The words are in the name of what it stands in. */
import "./ticks.css";
import { Check, CheckCheck, CircleAlert, Clock } from "lucide-preact";
import type { DeliveryState } from "../../lib/client/view.ts";

const icons = {
  sending: Clock,
  sent: Check,
  delivered: CheckCheck,
  read: CheckCheck,
  failed: CircleAlert,
};

export function Ticks({ state }: { state: DeliveryState }) {
  const Icon = icons[state];
  const small = state === "sending" || state === "failed";
  return (
    <Icon
      class={`ticks ticks-${state}`}
      size={small ? 13 : 16}
      strokeWidth={2.25}
      aria-hidden="true"
    />
  );
}
