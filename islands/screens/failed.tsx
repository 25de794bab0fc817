/** What is stored can't be used, and why. */
import type { Phase } from "../../lib/client/view.ts";
import { textOnDemand } from "../text/on_demand.ts";
import { Reload, Standstill } from "./standstill.tsx";

const words = textOnDemand.failed;

type Reason = Extract<Phase, { at: "failed" }>["reason"];

export function Failed({ reason }: { reason: keyof typeof words & Reason }) {
  const { title, body } = words[reason];
  return (
    <Standstill title={title} body={body}>
      <Reload />
    </Standstill>
  );
}
