// What the script adds: content that is replaced alone, search as one types, copying, questions before what cannot be taken back.
import { find, open, order, work } from "./kit.mjs";

await work(async () => {
  const context = await open();
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const is = (what, good) => { if (!good) find(page.url(), what); };
  const titled = text => page.waitForFunction(text => document.querySelector("h1").textContent.includes(text), text);
  const focus = () => page.evaluate(() => document.activeElement.tagName + (document.activeElement.id ? "#" + document.activeElement.id : ""));
  let loads = 0;

  await page.goto(`${order.address}/signin`);
  await page.fill("[name=name]", order.account);
  await page.fill("[name=password]", order.password);
  await page.click("button.main");
  await page.waitForURL(`${order.address}/`);
  page.on("load", () => loads++);

  await page.click("nav.menu a[href='namespaces']");
  await titled("Namespaces");
  is("the focus is not on the title", await focus() === "H1");
  await page.waitForFunction(() => document.querySelector("#live").textContent.includes("Namespaces"));
  await page.click(`main a[href='namespaces/${order.namespace}']`);
  await titled(order.namespace);
  await page.goBack();
  await titled("Namespaces");
  is("the page was loaded anew", loads === 0);

  await page.fill("#search", order.search);
  await page.waitForSelector("#found:not([hidden]) a[href^=repositories]:visible");
  await page.keyboard.press("Escape");
  is("Escape does not close what was found", await page.isHidden("#found"));
  await page.fill("#search", order.search);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/?q=*");

  await page.goto(`${order.address}/${order.repository}`);
  await page.locator("[data-copy]:visible").first().click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  is(`“${copied}” was copied`, copied.includes(order.repository.replace("repositories/", "")));

  await page.goto(`${order.address}/account/tokens`);
  const rows = () => page.locator("main tbody tr").count(), before = await rows();
  await page.locator("main tbody tr button").last().click();
  await page.click("#confirm button[value=no]");
  is("what was not to be revoked is", await rows() === before);
  await page.locator("main tbody tr button").last().click();
  await page.click("#confirm button[value=yes]");
  await page.waitForSelector(".note.good");
  is("what was to be revoked is not", await rows() === before - 1);

  await page.click(".theme button[value=dark]");
  await page.waitForSelector("html[data-theme=dark]");
  await page.click(".theme button[value=auto]");
  await page.waitForSelector("html:not([data-theme])");

  await page.click("nav.who button");
  await page.waitForURL("**/signin");
});
