/** What end-to-end tests are made of: the built program, browsers, people. */
export { expectAccessible } from "./accessibility.ts";
export { openBrowser, openWindow, PATIENCE } from "./browser.ts";
export { type Caddy, startCaddy } from "./caddy.ts";
export { type Started, startExecutable } from "./executable.ts";
export { type FirefoxVisitor, openFirefox } from "./firefox.ts";
export { strangeLines } from "./log_lines.ts";
export { freshPerson, type Person, type PersonOptions } from "./person.ts";
export {
  PROGRAM,
  programArguments,
  type RelayOptions,
  type RelayProcess,
  startRelay,
} from "./relay_process.ts";
export { type Result, runProgram } from "./run_program.ts";
export { screenshot } from "./screenshot.ts";
export { freshVisitor, type Visitor, type VisitorOptions } from "./visitor.ts";
