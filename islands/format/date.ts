/** Dates and times as a person reads them, through Intl. Times in are ms since the epoch. */

export interface DateFormat {
  /** 14:05 */
  time(at: number): string;
  /** The label of a day divider: Today, Yesterday, Monday, 3 March, 3 March 2025. */
  day(at: number, now: number): string;
  /** Right of a name in the list: the time of today's, the day of any earlier. */
  short(at: number, now: number): string;
  /** Date and time in full. */
  full(at: number): string;
}

/** A number that is the same for all moments of one local day, and one more on the next. */
export function dayNumber(at: number): number {
  const d = new Date(at);
  return Math.round(
    Date.UTC(d.getFullYear(), d.getMonth(), d.getDate()) / 86_400_000,
  );
}

const capital = (words: string, locale: string) =>
  words.charAt(0).toLocaleUpperCase(locale) + words.slice(1);

/**
 * Formats for one language. `hourCycle` comes from the person's own settings, so
 * that English words do not force a twelve-hour clock on someone who reads 14:05.
 */
export function dateFormat(
  locale: string,
  hourCycle?: Intl.LocaleHourCycleKey,
): DateFormat {
  const time = new Intl.DateTimeFormat(locale, {
    timeStyle: "short",
    hourCycle,
  });
  const weekday = new Intl.DateTimeFormat(locale, { weekday: "long" });
  const dayMonth = new Intl.DateTimeFormat(locale, {
    day: "numeric",
    month: "long",
  });
  const dayMonthYear = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
  const numeric = new Intl.DateTimeFormat(locale, { dateStyle: "short" });
  const full = new Intl.DateTimeFormat(locale, {
    dateStyle: "full",
    timeStyle: "short",
    hourCycle,
  });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const near = (days: number) => capital(relative.format(-days, "day"), locale);

  return {
    time: (at) => time.format(at),
    full: (at) => full.format(at),
    day(at, now) {
      const days = dayNumber(now) - dayNumber(at);
      if (days === 0 || days === 1) return near(days);
      if (days > 1 && days < 7) return weekday.format(at);
      const sameYear = new Date(at).getFullYear() ===
        new Date(now).getFullYear();
      return (sameYear ? dayMonth : dayMonthYear).format(at);
    },
    short(at, now) {
      const days = dayNumber(now) - dayNumber(at);
      if (days === 0) return time.format(at);
      if (days === 1) return near(1);
      if (days > 1 && days < 7) return weekday.format(at);
      return numeric.format(at);
    },
  };
}

/**
 * The person's own variant of the language the interface speaks (en-GB rather
 * than en, say), or that language itself when they read another one.
 */
export function localeFor(
  language: string,
  preferred: readonly string[],
): string {
  const primary = (tag: string) => tag.split("-")[0].toLowerCase();
  return preferred.find((tag) => primary(tag) === primary(language)) ??
    language;
}
