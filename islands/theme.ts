/**
 * Dark, light, or as the device: kept in localStorage, which holds no other choice of the person's.
 * `static/theme.js` applies it before the first paint; this is the part that can be changed.
 */
import { effect, signal } from "@preact/signals";

export type Theme = "dark" | "light" | "system";
const KEY = "whisper-theme";

/** Dark unless the person chose otherwise. */
export const theme = signal<Theme>("dark");

export function setTheme(chosen: Theme): void {
  theme.value = chosen;
  localStorage.setItem(KEY, chosen);
}

/** Reads the choice and keeps the document in step with it. Returns what stops that. */
export function followTheme(): () => void {
  const stored = localStorage.getItem(KEY);
  if (stored === "light" || stored === "system") theme.value = stored;
  const light = matchMedia("(prefers-color-scheme: light)");
  const deviceIsLight = signal(light.matches);
  const look = () => {
    deviceIsLight.value = light.matches;
  };
  light.addEventListener("change", look);
  const stop = effect(() => {
    const isLight = theme.value === "light" ||
      theme.value === "system" && deviceIsLight.value;
    document.documentElement.dataset.theme = isLight ? "light" : "dark";
    // The bars of a phone around the page go with it.
    document.querySelector('meta[name="theme-color"]')
      ?.setAttribute("content", isLight ? "#fbfcfe" : "#111929");
  });
  return () => {
    light.removeEventListener("change", look);
    stop();
  };
}
