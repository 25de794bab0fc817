/** Devices that came or went on another device of the account: told until the person has seen it. */
import type { DevicesView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { Notice } from "./notice.tsx";

const words = textOnDemand.devices;

export function DeviceNotices({ devices }: { devices: DevicesView }) {
  return (
    <Notice
      title={words.news}
      actions={
        <Button
          small
          look="outline"
          onClick={() => void devices.dismiss()}
        >
          {text.common.dismiss}
        </Button>
      }
    >
      {devices.news.value.map(({ what, name }, i) => (
        <p key={i} dir="auto">{words.told[what](name || words.unnamed)}</p>
      ))}
      {devices.news.value.some(({ here }) => !here) && <p>{words.newsHint}</p>}
    </Notice>
  );
}
