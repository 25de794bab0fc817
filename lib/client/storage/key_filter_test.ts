import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { KeyFilter } from "./key_filter.ts";

Deno.test("a key that was added may be there, whatever was added beside it", () => {
  const keys = fc.uint8Array({ minLength: 1, maxLength: 20 });
  fc.assert(fc.property(fc.array(keys), (added) => {
    const filter = new KeyFilter();
    for (const key of added) filter.add(key);
    ok(added.every((key) => filter.mayHave(key)));
  }));
});

Deno.test("of random keys that were not added, few may be there: one of 40 beside 100,000", () => {
  const filter = new KeyFilter();
  const random = () => crypto.getRandomValues(new Uint8Array(16));
  equal(filter.mayHave(random()), false);
  for (let i = 0; i < 100_000; i++) filter.add(random());
  let mistaken = 0;
  for (let i = 0; i < 10_000; i++) if (filter.mayHave(random())) mistaken++;
  ok(mistaken < 400, `${mistaken} of 10,000`);
});
