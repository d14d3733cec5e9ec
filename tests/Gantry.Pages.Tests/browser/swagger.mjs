// The description of the API as somebody uses it: it is shown, within its policy, and a request is tried out with the session at hand.
import { expected, find, open, order, work } from "./kit.mjs";

await work(async () => {
  const context = await open();
  const page = await context.newPage();
  const tryOut = async path => {
    await page.goto(`${order.address}/swagger`);
    const operation = page.locator(".opblock", { has: page.locator(`[data-path="${path}"]`) }).first();
    await operation.locator(".opblock-summary-control").click();
    await operation.locator(".try-out__btn").click();
    const asked = page.waitForRequest(request => new URL(request.url()).pathname === path);
    await operation.locator(".execute").click();
    const status = (await operation.locator(".live-responses-table .response-col_status").last().textContent()).trim();
    return { status, script: (await (await asked).allHeaders())["x-requested-with"] };
  };

  const good = await tryOut(order.path);
  if (!good.status.startsWith("200")) find(page.url(), `${order.path} answers ${good.status}`);
  if (good.script !== "swagger") find(page.url(), "a request does not say that a script sends it");

  // Whoever has no session reads why, and no login of the browser's is in the way.
  await context.clearCookies();
  expected.add(401);
  const refused = await tryOut(order.path);
  if (!refused.status.startsWith("401")) find(page.url(), `${order.path} answers ${refused.status} to nobody`);
});
