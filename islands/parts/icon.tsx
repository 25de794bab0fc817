/** What draws an icon of lucide's. The package's own does more than is asked of it here, and a row of ticks is many icons. */
import { h, type SVGAttributes } from "preact";

/** As each icon's module has it: the shapes of a square drawing. */
interface IconData {
  readonly size: number;
  readonly node: readonly (readonly [string, Record<string, string>])[];
}

interface IconProps extends SVGAttributes<SVGSVGElement> {
  size?: number;
  strokeWidth?: number;
}

/** Not said aloud, unless it is given a name or a role. */
export default function createIcon({ size: drawn, node }: IconData) {
  return function Icon({ size = 24, strokeWidth = 2, ...rest }: IconProps) {
    const said = "role" in rest || "aria-label" in rest;
    return (
      <svg
        width={size}
        height={size}
        viewBox={`0 0 ${drawn} ${drawn}`}
        fill="none"
        stroke="currentColor"
        stroke-width={strokeWidth}
        stroke-linecap="round"
        stroke-linejoin="round"
        aria-hidden={said ? undefined : "true"}
        {...rest}
      >
        {node.map(([tag, { key, ...shape }]) => h(tag, { key, ...shape }))}
      </svg>
    );
  };
}
