/** A restore that is killed just before it renames or removes something for the N-th time: BACKUP DATA N. */
import { restore } from "../../server/restore.ts";

const [from, data, at] = Deno.args;
let count = 0;
function countDown(): void {
  count++;
  if (count === Number(at)) Deno.kill(Deno.pid, "SIGKILL");
}
const { rename, remove } = Deno;
Deno.rename = (...args) => {
  countDown();
  return rename(...args);
};
Deno.remove = (...args) => {
  countDown();
  return remove(...args);
};
await restore(from, data, true);
console.log(`not killed: ${count}`);
