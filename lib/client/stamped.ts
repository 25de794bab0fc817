/**
 * A value of the account, and which device chose it when. Devices of one account will choose on
 * their own and merge later: of two values the later stamp wins, of equal times the higher device.
 */
export interface Stamped<T> {
  readonly value: T;
  /** ms since the epoch. */
  readonly time: number;
  /** Device id; 0 for what nobody chose. */
  readonly device: number;
}

/** What nobody has chosen yet: any choice is later. */
export function unchosen<T>(value: T): Stamped<T> {
  return { value, time: 0, device: 0 };
}

/**
 * The value that replaces `before`. Its time is above that of `before`, whatever the clock says: who
 * chooses having seen a choice chooses after it.
 * @param now ms since the epoch, by this device's clock
 */
export function restamped<T>(
  before: Stamped<unknown>,
  value: T,
  { now, device }: { now: number; device: number },
): Stamped<T> {
  return { value, time: Math.max(now, before.time + 1), device };
}
