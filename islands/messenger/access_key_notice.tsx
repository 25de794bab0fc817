/** What came of changing the access key: the page that asked for it is gone by then. */
import { accessKeyChanged } from "../access_key_changed.ts";
import { Button } from "../parts/button.tsx";
import { text } from "../text/mod.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { Notice } from "./notice.tsx";

const words = textOnDemand.changeKey;

export function AccessKeyNotice() {
  return (
    <Notice
      warm
      title={words.changedTitle}
      actions={
        <Button
          small
          onClick={() => {
            accessKeyChanged.value = false;
          }}
        >
          {text.common.dismiss}
        </Button>
      }
    >
      <p>{words.changed}</p>
    </Notice>
  );
}
