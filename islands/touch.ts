/**
 * Whether writing means a keyboard on the screen. There, Enter makes a new line and the button
 * sends, as on every phone; with a real keyboard Enter sends and Shift+Enter makes the line.
 */
export function hasTouchKeyboard(): boolean {
  return matchMedia("(hover: none) and (pointer: coarse)").matches;
}
