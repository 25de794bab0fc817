/** axe-core in the page, which does not let it in: it is injected beside the content security policy. */
import { equal } from "node:assert/strict";
import axe from "axe-core";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

/** Fails with the rules and elements when axe finds anything wrong with what the page shows now. */
export async function expectAccessible(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  try {
    const there = await session.send("Runtime.evaluate", {
      expression: "typeof axe",
    });
    // To read it takes as long as to look at a page.
    if (there.result.value === "undefined") {
      await session.send("Runtime.evaluate", { expression: axe.source });
    }
    const { result, exceptionDetails } = await session.send(
      "Runtime.evaluate",
      {
        expression: "axe.run(document, { resultTypes: ['violations'] })",
        awaitPromise: true,
        returnByValue: true,
      },
    );
    if (exceptionDetails) {
      throw new Error(
        exceptionDetails.exception?.description ?? exceptionDetails.text,
      );
    }
    // axe.run resolves to this; it crossed the protocol by value.
    const { violations } = result.value as AxeResults;
    const report = violations.flatMap(({ id, impact, help, nodes }) =>
      nodes.map((node) =>
        `${impact} ${id}: ${help}\n  ${node.html}\n  ${
          node.failureSummary ?? ""
        }`
      )
    );
    equal(report.join("\n"), "");
  } finally {
    await session.detach();
  }
}
