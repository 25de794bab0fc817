import assert from "node:assert/strict";
import { mayForwardTo } from "./forward_hosts.ts";

const ONION = `${"a".repeat(55)}d.onion`;

Deno.test("a rule for an onion service holds for every name below it, which Tor takes for the same", () => {
  for (const host of [ONION, `${ONION}.`, `x.${ONION}`, `a.b.${ONION}.`]) {
    const origin = new URL(`http://${host}`);
    assert.equal(mayForwardTo(origin, { deny: [ONION] }), false, host);
    assert.equal(mayForwardTo(origin, { allow: [ONION] }), true, host);
    assert.equal(mayForwardTo(origin, { allow: ["x.onion"] }), false, host);
  }
  const other = new URL(`http://x${ONION.slice(1)}`);
  assert.equal(mayForwardTo(other, { deny: [ONION] }), true);
});

Deno.test("a rule for a host is not one for what is below it, and one for what is below is not for the host", () => {
  const may = (host: string, deny: string) =>
    mayForwardTo(new URL(`https://${host}`), { deny: [deny] });
  assert.equal(may("relay.example", "relay.example"), false);
  assert.equal(may("relay.example.", "RELAY.example"), false);
  assert.equal(may("a.relay.example", "relay.example"), true);
  assert.equal(may("a.relay.example", "*.relay.example"), false);
  assert.equal(may("relay.example", "*.relay.example"), true);
  assert.equal(may("arelay.example", "*.relay.example"), true);
});
