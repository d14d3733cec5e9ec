// What is no page of its own, as axe sees it: refusals, faults of a form, a secret that is shown once, the question, what is found as one types.
import { examine } from "./axe.mjs";
import { expected, find, open, order, work } from "./kit.mjs";

await work(async () => {
  const context = await open({ colorScheme: "light" });
  const page = await context.newPage();
  const has = async (what, selector) => { if (!await page.locator(selector).count()) find(page.url(), `${what} is not there: ${selector}`); };

  for (const [path, status] of order.refused) {
    expected.add(status);
    const answer = await page.goto(order.address + path);
    if (answer.status() !== status) find(path, `answers ${answer.status()}, not ${status}`);
    await examine(page, `the page of a ${status}`);
    expected.delete(status);
  }

  // White space passes the browser's own check.
  expected.add(400);
  await page.goto(`${order.address}/account/tokens`);
  await page.fill("#make [name=name]", " ");
  await page.check("#make [name=scope][value=some]");
  await page.fill("#make [name=pattern]", "NO PATTERN");
  await page.click("#make button.main");
  await page.waitForSelector("[role=alert]");
  await has("the fault of a field", "#make [aria-invalid=true][aria-describedby]");
  await examine(page, "a form with faults");
  expected.delete(400);

  await page.fill("#make [name=name]", "to be seen");
  await page.check("#make [name=scope][value=all]");
  await page.click("#make button.main");
  await page.waitForSelector(".note.good");
  await examine(page, "a secret that is shown once");

  await page.locator("main tbody tr", { hasText: "to be seen" }).getByRole("button").click();
  await page.waitForSelector("#confirm[open]");
  await examine(page, "the question");
  await page.click("#confirm button[value=yes]");
  await page.waitForSelector(".note.good:has-text('revoked')");

  await page.fill("#search", order.search);
  await page.waitForSelector("#found:not([hidden]) a:visible");
  await examine(page, "what is found");
  await page.fill("#search", "nothing like it");
  await page.waitForSelector("#found:not([hidden]) p:visible");
  await examine(page, "nothing that is found");
});
