import assert from "node:assert/strict";
import { dateFormat, dayNumber, localeFor } from "./date.ts";

const at = (...parts: [number, number, number, number?, number?]) =>
  new Date(parts[0], parts[1] - 1, parts[2], parts[3] ?? 12, parts[4] ?? 0)
    .getTime();
const now = at(2026, 11, 23, 10);
const british = dateFormat("en-GB");

Deno.test("days are counted by the local calendar, not by 24 hours", () => {
  assert.equal(
    dayNumber(at(2026, 11, 23, 0, 1)) - dayNumber(at(2026, 11, 22, 23, 59)),
    1,
  );
  assert.equal(
    dayNumber(at(2026, 11, 23, 0, 1)),
    dayNumber(at(2026, 11, 23, 23, 59)),
  );
  assert.equal(dayNumber(at(2027, 1, 1)) - dayNumber(at(2026, 12, 31)), 1);
});

Deno.test("every day of a year has its own number, clock changes included", () => {
  const first = dayNumber(at(2026, 1, 1));
  for (let day = 0; day < 365; day++) {
    assert.equal(
      dayNumber(new Date(2026, 0, 1 + day, 2).getTime()),
      first + day,
    );
  }
});

Deno.test("a day divider says today, yesterday, the weekday, then the date", () => {
  assert.equal(british.day(at(2026, 11, 23, 0, 5), now), "Today");
  assert.equal(british.day(at(2026, 11, 22, 23), now), "Yesterday");
  assert.equal(british.day(at(2026, 11, 17), now), "Tuesday");
  assert.equal(british.day(at(2026, 11, 16), now), "16 November");
  assert.equal(british.day(at(2025, 11, 16), now), "16 November 2025");
});

Deno.test("a message from a clock that runs ahead shows its date", () => {
  assert.equal(british.day(at(2026, 11, 25), now), "25 November");
  assert.equal(british.short(at(2026, 11, 25), now), "25/11/2026");
});

Deno.test("the list shows the time today and the day before that", () => {
  assert.equal(british.short(at(2026, 11, 23, 9, 7), now), "09:07");
  assert.equal(british.short(at(2026, 11, 22, 9, 7), now), "Yesterday");
  assert.equal(british.short(at(2026, 11, 19), now), "Thursday");
  assert.equal(british.short(at(2026, 3, 2), now), "02/03/2026");
});

Deno.test("the person's hour cycle wins over the language's", () => {
  const afternoon = at(2026, 11, 23, 14, 5);
  assert.match(dateFormat("en-US").time(afternoon), /^2:05\sPM$/);
  assert.equal(dateFormat("en-US", "h23").time(afternoon), "14:05");
});

Deno.test("another language needs no other code", () => {
  const german = dateFormat("de-DE");
  assert.equal(german.day(at(2026, 11, 22), now), "Gestern");
  assert.equal(german.time(at(2026, 11, 22, 14, 5)), "14:05");
});

Deno.test("the locale is the person's variant of the interface's language", () => {
  assert.equal(localeFor("en", ["de-AT", "en-GB", "en-US"]), "en-GB");
  assert.equal(localeFor("en", ["de-AT"]), "en");
  assert.equal(localeFor("en", []), "en");
});
