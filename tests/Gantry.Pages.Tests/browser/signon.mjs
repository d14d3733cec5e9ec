// Signing in by a provider, as somebody does it who has never been here: the links, the provider's own page, and back to where one was.
import { find, open, order, work } from "./kit.mjs";

await work(async () => {
  const context = await open();
  const page = await context.newPage();
  await page.goto(`${order.address}/account/tokens`);
  await page.click(`main a[href^="sso/"]`);
  await page.waitForURL(`${order.others[0]}/interaction/**`);
  await page.fill("[name=as]", order.subject);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${order.address}/account/tokens`);
  const name = (await page.textContent("nav.who a")).trim();
  if (name !== order.account) find(page.url(), `who signed in is “${name}”, not “${order.account}”`);

  // The session holds: for a link, and for a form.
  await page.click("nav.menu a[href='namespaces']");
  await page.waitForURL("**/namespaces");
  await page.click("nav.who button");
  await page.waitForURL("**/signin");
  if ((await context.cookies(order.address)).some(cookie => cookie.name === "gantry_session")) find(page.url(), "who signed out still has a session");
});
