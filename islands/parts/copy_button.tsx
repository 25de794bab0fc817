/** Copies a text and says whether that worked. */
import { Check, Copy } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { textOnDemand } from "../text/on_demand.ts";
import { Button } from "./button.tsx";

const words = textOnDemand.copying;

export function CopyButton(
  { label, value, small }: { label: string; value: string; small?: boolean },
) {
  const [outcome, setOutcome] = useState<"copied" | "refused">();
  useEffect(() => {
    if (!outcome) return;
    const timer = setTimeout(() => setOutcome(undefined), 3000);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = () =>
    navigator.clipboard.writeText(value).then(
      () => setOutcome("copied"),
      () => setOutcome("refused"),
    );
  return (
    <>
      <Button small={small} look="outline" onClick={copy}>
        {outcome === "copied"
          ? <Check size={small ? 16 : 18} />
          : <Copy size={small ? 16 : 18} />}
        {outcome === "copied" ? words.copied : label}
      </Button>
      <span class="unseen" role="status">
        {outcome === "copied" && words.copied}
        {outcome === "refused" && words.refused}
      </span>
    </>
  );
}
