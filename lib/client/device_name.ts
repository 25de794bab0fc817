/** What a device is called until somebody calls it otherwise: its browser and system, as far as it says. */

/** In this order: most browsers name others beside themselves. */
const BROWSERS = [
  ["Edg/", "Edge"],
  ["OPR/", "Opera"],
  ["Firefox/", "Firefox"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
] as const;

const SYSTEMS = [
  ["Android", "Android"],
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Windows", "Windows"],
  ["Mac OS X", "macOS"],
  ["CrOS", "ChromeOS"],
  ["Linux", "Linux"],
] as const;

/** @param userAgent as `navigator.userAgent` has it */
export function nameOfBrowser(userAgent: string): string {
  return [BROWSERS, SYSTEMS]
    .flatMap((names) =>
      names.find(([mark]) => userAgent.includes(mark))?.[1] ?? []
    )
    .join(" · ");
}
