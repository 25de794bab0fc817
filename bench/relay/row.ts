/** A row of a table: what was measured, then its figures. */
export function printRow(what: string, cells: readonly string[]): void {
  console.log(
    [what.padEnd(66), ...cells.map((cell) => cell.padStart(15))]
      .join(" ").trimEnd(),
  );
}
