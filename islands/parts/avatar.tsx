/** A person without a picture: their initials on a colour that stays theirs. Decoration; the name stands beside it. */
import "./avatar.css";
import { initials } from "../format/initials.ts";
import { fingerprint } from "../navigation.ts";
import { memo } from "./memo.tsx";

export const Avatar = memo(function Avatar(
  { id, name, small }: { id: string; name: string; small?: boolean },
) {
  return (
    <span
      class={`avatar avatar-${fingerprint(id) % 8}${
        small ? " avatar-small" : ""
      }`}
      aria-hidden="true"
    >
      {initials(name)}
    </span>
  );
});
