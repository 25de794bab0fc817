import { deepEqual, equal, throws } from "node:assert/strict";
import { readReport, summary } from "./report.ts";

/** As `deno test --junit-path` wrote it, shortened. */
const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="7" failures="2" errors="0" time="0.019">
    <testsuite name="./x_test.ts" tests="7" disabled="1" errors="0" failures="2">
        <testcase name="a &lt;b&gt; &amp; &quot;c&quot;" classname="./x_test.ts" time="0.001" line="1" col="6">
        </testcase>
        <testcase name="fails" classname="./x_test.ts" time="0.003" line="1" col="42">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
        <testcase name="needs a &gt; b" classname="./x_test.ts" time="0.000" line="1" col="177">
            <skipped/>
        </testcase>
        <testcase name="fails &gt; inner ok" classname="./x_test.ts" time="0.000" line="1" col="77">
        </testcase>
        <testcase name="fails &gt; inner bad" classname="./x_test.ts" time="0.001" line="1" col="110">
            <failure message="Uncaught Error: &lt;/testcase&gt;">Error: &lt;/testcase&gt; y</failure>
        </testcase>
    </testsuite>
</testsuites>
`;

Deno.test("tests are counted, their steps are not; of what failed it says why", () => {
  deepEqual(readReport(REPORT), {
    passed: 1,
    failed: 1,
    failures: [
      { name: "fails", reason: "1 test step failed." },
      { name: "fails > inner bad", reason: "Error: </testcase> y" },
    ],
    skipped: ["needs a > b"],
  });
});

Deno.test("a report that was cut off is refused rather than counted", () => {
  throws(() => readReport(REPORT.slice(0, -20)));
});

Deno.test("the summary sums all runs and names skipped tests only when there are some", () => {
  const run = { passed: 2, failed: 0, failures: [], skipped: [] };
  equal(summary([run, run]), "4 passed, 0 failed");
  equal(summary([run, readReport(REPORT)]), "3 passed, 1 failed, 1 skipped");
});
