/** The formats of this browser and this language. */
import { text } from "../text/mod.ts";
import { type DateFormat, dateFormat, localeFor } from "./date.ts";

export { countdown, groups } from "./code.ts";
export { dayNumber } from "./date.ts";
export { glance } from "./glance.ts";
export { type Piece, piecesOf } from "./links.ts";

let made: DateFormat | undefined;

/** Made at first use: the build, which renders pages too, has no person's locale. */
export function dates(): DateFormat {
  made ??= dateFormat(
    localeFor(text.language, navigator.languages),
    new Intl.DateTimeFormat(undefined, { hour: "numeric" })
      .resolvedOptions().hourCycle,
  );
  return made;
}
