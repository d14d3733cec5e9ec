// Without script: signing in, the menu, the search and every page work, and nothing waits for what never comes.
import { each, find, open, order, work } from "./kit.mjs";

await work(async () => {
  const context = await open({ javaScriptEnabled: false });
  const page = await context.newPage();
  const is = (what, wanted, found) => { if (!wanted(found)) find(page.url(), `${what}: ${found}`); };

  await page.goto(`${order.address}/signin?return=%2Fnamespaces`);
  await page.fill("[name=name]", order.account);
  await page.fill("[name=password]", order.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/namespaces");

  const menu = await page.locator("nav.menu a").count();
  for (let i = 0; i < menu; i++) {
    const link = page.locator("nav.menu a").nth(i), target = await link.evaluate(element => element.href);
    await link.click();
    await page.waitForURL(target);
    is("the menu does not mark the page", text => text === "page", await page.locator("nav.menu a").nth(i).getAttribute("aria-current"));
  }

  await page.fill("#search", order.search);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/?q=*");
  await page.locator(`main a[href$="${order.found}"]`).first().click();
  await page.waitForURL(`**/${order.found}`);
  await page.click("nav.who button");
  await page.waitForURL("**/signin");
  is("who signed out still has a session", cookies => cookies.every(cookie => cookie.name !== "gantry_session"), await context.cookies());

  await page.fill("[name=name]", order.account);
  await page.fill("[name=password]", order.password);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${order.address}/`);
  await each(order.paths, 1, async path => {
    await page.goto(order.address + path, { waitUntil: "load" });
    is("more than one title, or none", count => count === 1, await page.locator("h1").count());
    is("a button that does nothing", count => count === 0, await page.locator("[data-copy]:visible").count());
    if (await page.locator(".busy:visible").count()) {
      const link = page.locator("main noscript a, main a[href*='wait']");
      is("waits for ever, and has no link that helps", count => count > 0, await link.count());
    }
  });
});
