/** The cells of a backup as bytes. docs/protocol.md § Backup. */
import { Fields, MalformedError, writeMessage } from "../keys/mod.ts";
import {
  type Cell,
  type Cells,
  KINDS,
  MAX_KIND,
  merge,
  NO_CELLS,
} from "./cells.ts";

const FORMAT = 1;
/** Far more than fit in the largest backup: a cell takes at least eight bytes. */
const MAX_CELLS = 1_000_000;
const MAX_SUBJECT = 32;
const MAX_DEVICE = 127;

/** In the order of their names: the same cells are the same bytes. */
export function encodeCells(cells: Cells): Uint8Array {
  const sorted = [...cells].sort(([a], [b]) => a < b ? -1 : 1);
  return writeMessage((writer) => {
    writer.writeVarintField(1, FORMAT);
    for (const [, cell] of sorted) writer.writeBytesField(2, encodeCell(cell));
  });
}

function encodeCell({ kind, subject, stamp, value }: Cell): Uint8Array {
  return writeMessage((writer) => {
    writer.writeVarintField(1, kind);
    if (subject.length > 0) writer.writeBytesField(2, subject);
    writer.writeVarintField(3, stamp.time);
    writer.writeVarintField(4, stamp.device);
    if (value.length > 0) writer.writeBytesField(5, value);
  });
}

/** Cells in any order, and also such as a merge would have dropped: what comes out is merged. Throws MalformedError. */
export function parseCells(bytes: Uint8Array): Cells {
  const fields = new Fields(bytes);
  fields.uint(1, FORMAT, FORMAT);
  return merge(NO_CELLS, fields.repeated(2, MAX_CELLS).map(parseCell));
}

function parseCell(bytes: Uint8Array): Cell {
  const fields = new Fields(bytes);
  const optional = (tag: number) =>
    fields.has(tag) ? fields.bytes(tag) : new Uint8Array();
  const cell = {
    kind: fields.uint(1, 0, MAX_KIND),
    subject: optional(2),
    stamp: {
      time: fields.uint(3, 0, Number.MAX_SAFE_INTEGER),
      device: fields.uint(4, 0, MAX_DEVICE),
    },
    value: optional(5),
  };
  if (cell.subject.length > MAX_SUBJECT) throw new MalformedError("subject");
  if (cell.kind === KINDS.removed && cell.value.length > 0) {
    throw new MalformedError("removal");
  }
  return cell;
}
