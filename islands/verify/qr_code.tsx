/** A QR code as one path: elements only, no markup from a string. */
import { useMemo } from "preact/hooks";
import { encode } from "uqr";

/** Modules of light around it, as the standard asks for. */
const QUIET = 4;

export function QrCode({ content, label }: { content: string; label: string }) {
  const { size, path } = useMemo(() => drawn(content), [content]);
  return (
    <svg
      class="qr-code"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      shape-rendering="crispEdges"
    >
      <path class="qr-light" d={`M0 0h${size}v${size}H0z`} />
      <path class="qr-dark" d={path} />
    </svg>
  );
}

/** Dark modules, those beside each other in one stroke. */
function drawn(content: string): { size: number; path: string } {
  const { size, data } = encode(content, { ecc: "M", border: QUIET });
  const strokes = data.flatMap((row, y) =>
    [...row.map((dark) => dark ? "1" : "0").join("").matchAll(/1+/g)]
      .map(({ index, 0: run }) =>
        `M${index} ${y}h${run.length}v1h-${run.length}z`
      )
  );
  return { size, path: strokes.join("") };
}
