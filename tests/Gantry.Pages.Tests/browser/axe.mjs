// What axe finds on a page as it stands: in light, and its colours in the dark; closed parts are opened before.
import { readFileSync } from "node:fs";
import { find } from "./kit.mjs";

const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const open = () => document.querySelectorAll("details").forEach(part => part.open = true);
const check = rules => axe.run(document, { resultTypes: ["violations"], ...(rules ? { runOnly: { type: "rule", values: rules } } : {}) })
  .then(result => result.violations.map(violation => ({
    id: violation.id, help: violation.help, count: violation.nodes.length,
    first: violation.nodes[0].html.slice(0, 200), why: violation.nodes[0].failureSummary,
  })));

/** @param where What is told of a finding. */
export async function examine(page, where) {
  await page.evaluate(open);
  // As a debugger does it: the page's own policy allows no script of others.
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Runtime.evaluate", { expression: axe });
  const report = async (theme, rules) => {
    for (const { id, help, count, first, why } of await page.evaluate(check, rules))
      find(where, `${theme}, axe: ${id} (${help}), ${count} times: ${first} ${why}`);
  };
  await report("light");
  await page.emulateMedia({ colorScheme: "dark" });
  // Nothing but colours is another in the dark.
  await report("dark", ["color-contrast", "link-in-text-block"]);
  await page.emulateMedia({ colorScheme: "light" });
  await devtools.detach();
}
