/** Of this program, as CHANGELOG.md tells it. */
export const VERSION = "unreleased";
