/** Rows of numbers beside what they were measured against and what is wanted. */

export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The same thing done without us, in the same run and unit. */
  readonly beside?: number;
  readonly atLeast?: number;
  readonly aim?: number;
}

const HEAD = ["", "measured", "beside", "ratio", "at least", "aim", ""];
const WIDTHS = [70, 12, 12, 8, 10, 8, 8];

/** Three digits are more than the machine repeats. */
function shortly(value: number | undefined, unit = ""): string {
  if (value === undefined) return "";
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}${unit && ` ${unit}`}`;
}

function verdict({ value, atLeast, aim }: Row): string {
  if (atLeast === undefined) return "";
  if (value > atLeast) return "MISSED";
  return aim !== undefined && value <= aim ? "aim" : "at least";
}

function line(cells: readonly string[]): string {
  return cells.map((cell, i) =>
    i === 0 ? cell.padEnd(WIDTHS[i]) : cell.padStart(WIDTHS[i])
  ).join(" ").trimEnd();
}

/** `beside`: what that column holds. Less is better in every row. */
export function printTable(
  title: string,
  rows: readonly Row[],
  beside = "",
): void {
  console.log(`\n${title}${beside && ` (beside: ${beside})`}`);
  console.log(line(HEAD));
  for (const row of rows) {
    const { value, unit } = row;
    console.log(line([
      row.what,
      shortly(value, unit),
      shortly(row.beside, unit),
      // Beside nothing at all there is no ratio.
      row.beside ? `${shortly(value / row.beside)}x` : "",
      shortly(row.atLeast),
      shortly(row.aim),
      verdict(row),
    ]));
  }
}

/** The value that `share` (0..1) of the samples do not exceed. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
