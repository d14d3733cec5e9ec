// Opens each page as the visitor: nothing fails, axe finds nothing in light and dark, nothing is wider than a phone, nothing is heavy.
import { readFileSync } from "node:fs";
import { each, find, open, order, work } from "./kit.mjs";

const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const check = rules => axe.run(document, { resultTypes: ["violations"], ...(rules ? { runOnly: { type: "rule", values: rules } } : {}) })
  .then(result => result.violations.map(violation => ({
    id: violation.id, help: violation.help, count: violation.nodes.length,
    first: violation.nodes[0].html.slice(0, 200), why: violation.nodes[0].failureSummary,
  })));

await work(async () => {
  const context = await open({ colorScheme: "light" });
  const heaviest = { path: "", bytes: 0 };
  await each(order.paths, 2, async path => {
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    try {
      await page.goto(order.address + path, { waitUntil: "load" });
      // What it weighs for whom it is the first: whatever was fetched, as it was sent, and some headers.
      const bytes = await page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
        .reduce((sum, entry) => sum + entry.encodedBodySize + 300, 0));
      if (bytes > heaviest.bytes) Object.assign(heaviest, { path, bytes });
      if (bytes >= order.mostBytes) find(path, `a first visit is ${bytes} bytes`);

      // As a debugger does it: the page's own policy allows no script of others.
      await devtools.send("Runtime.evaluate", { expression: axe });
      const report = async (theme, rules) => {
        for (const { id, help, count, first, why } of await page.evaluate(check, rules))
          find(path, `${theme}, axe: ${id} (${help}), ${count} times: ${first} ${why}`);
      };
      await report("light");
      await page.emulateMedia({ colorScheme: "dark" });
      // Nothing but colours is another in the dark.
      await report("dark", ["color-contrast", "link-in-text-block"]);

      await page.setViewportSize({ width: 360, height: 740 });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 360) find(path, `is ${width} wide on a phone of 360`);
    } finally {
      await page.close();
    }
  });
  return { heaviest };
});
