/** What every server of the comparison is asked to do, whatever it speaks. */

/** What a message measures, as its sender hands it over. */
export const MESSAGE_BYTES = 480;

/** One sender and one recipient, each on a connection of its own. Messages are numbered from 0. */
export interface Line {
  /** Resolves when the server has confirmed the message. */
  send(number: number): Promise<void>;
  /** The recipient begins to read, and acknowledges what it is told of. Resolves when it is there. */
  listen(arrived: (number: number) => void): Promise<void>;
  close(): Promise<void>;
}

/** The queues of a line, and how its messages go to them: one after the other, and from the last to the first. */
export interface Spread {
  readonly queues: number;
  /** Messages to one queue before it is the next one's turn. */
  readonly inARow: number;
}

/** Makes the line of this index; its queue is there (or as many as told), its recipient is not. */
export type Connect = (
  address: string,
  index: number,
  spread: Spread,
) => Promise<Line>;

/** A server that runs in a process of its own. */
export interface Server {
  /** The process that does the work. */
  readonly pid: number;
  readonly address: string;
  stop(): Promise<void>;
}

/** A message of the usual size that begins with its number. */
export function numbered(number: number): Uint8Array {
  const message = new Uint8Array(MESSAGE_BYTES);
  new DataView(message.buffer).setUint32(0, number);
  return message;
}

export function numberOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(0);
}
