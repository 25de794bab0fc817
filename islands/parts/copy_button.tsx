/** Copies a text and says whether that worked. */
import { Check, Copy } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { text } from "../text/mod.ts";
import { Button } from "./button.tsx";

export function CopyButton(
  { label, value }: { label: string; value: string },
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
      <Button small look="outline" onClick={copy}>
        {outcome === "copied" ? <Check size={16} /> : <Copy size={16} />}
        {outcome === "copied" ? text.common.copied : label}
      </Button>
      <span class="unseen" role="status">
        {outcome === "copied" && text.common.copied}
        {outcome === "refused" && text.common.copyRefused}
      </span>
    </>
  );
}
