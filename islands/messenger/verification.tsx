/** Beside the name of somebody whose keys were compared. */
import "./verification.css";
import { ShieldCheck } from "lucide-preact";
import { text } from "../text/mod.ts";

export function VerifiedMark({ size }: { size: number }) {
  return (
    <span
      class="verified-mark"
      role="img"
      aria-label={text.verify.verifiedMark}
    >
      <ShieldCheck size={size} />
    </span>
  );
}
