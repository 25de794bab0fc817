/** The contact removed a device: told in the conversation until the person has seen it. */
import "./device_left.css";
import { MonitorOff } from "lucide-preact";
import type { ContactView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.deviceLeft;

export function DeviceLeft({ contact }: { contact: ContactView }) {
  const { name } = contact.state.value;
  return (
    <div class="device-left" role="status">
      <MonitorOff size={20} aria-hidden="true" />
      <div>
        <p>
          <strong dir="auto">{words.title(name)}</strong>
        </p>
        <p>{words.body}</p>
      </div>
      <Button small onClick={() => void contact.sawDevices()}>
        {textOnDemand.verification.acknowledge}
      </Button>
    </div>
  );
}
