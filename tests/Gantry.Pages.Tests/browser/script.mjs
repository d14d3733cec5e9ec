// What the script adds: content that is replaced alone, search as one types, copying, questions before what cannot be taken back.
import { expected, find, open, order, work } from "./kit.mjs";

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

  // The skip link is not replaced with the content: it leads to what is shown now, and asks for nothing.
  const watched = () => page.evaluate(() => {
    const ask = window.fetch;
    window.asked = [];
    window.fetch = (...what) => { window.asked.push(String(what[0])); return ask(...what); };
  });
  const asked = () => page.evaluate(() => window.asked.join());
  // Where the page may notice that its address is another.
  const move = how => page.evaluate(`new Promise(done => { addEventListener("popstate", () => setTimeout(done), { once: true }); ${how}; })`);
  const skip = async () => {
    await page.focus(".skip");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement.id === "main");
  };
  await watched();
  await skip();
  is(`skipping to the content asks for ${await asked()}`, await asked() === "");
  is("skipping to the content leads elsewhere", new URL(page.url()).pathname === "/namespaces" && (await page.textContent("h1")).includes("Namespaces"));

  // A link to a place in another page leads there, and so does the keyboard.
  await page.evaluate(path => document.querySelector("main").insertAdjacentHTML("beforeend", `<a id="there" href="${path}#tags">there</a>`), order.repository);
  await page.click("#there");
  await page.waitForURL("**#tags");
  is(`the focus is on ${await focus()}, not on the place that was asked for`, await focus() === "H2#tags");

  await page.fill("#search", order.search);
  await page.waitForSelector("#found:not([hidden]) a[href^=repositories]:visible");
  await page.keyboard.press("Escape");
  is("Escape does not close what was found", await page.isHidden("#found"));
  await page.fill("#search", order.search);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/?q=*");

  // What comes late is shown nowhere: neither what was asked for before one went on, nor before one turned away.
  const late = async (pattern, begin, leave, settled) => {
    let release, watch;
    const held = new Promise(done => release = done), sent = page.waitForRequest(pattern);
    const hold = async route => { await held; await route.continue(); };
    await page.route(pattern, hold);
    const isCancelled = new Promise(done => watch = {
      requestfailed: request => pattern.test(request.url()) && done(true),
      requestfinished: request => pattern.test(request.url()) && done(false),
    });
    for (const name in watch) page.on(name, watch[name]);
    await begin();
    await sent;
    await leave();
    release();
    is(`what ${pattern} asked for goes on when one has left`, await isCancelled);
    for (const name in watch) page.off(name, watch[name]);
    await page.unroute(pattern, hold);
    await settled();
  };
  const leave = () => page.evaluate(() => document.querySelector("nav.menu a[href='namespaces']").click());
  const quiet = async () => is("an answer that came late is shown", await page.isHidden("#found"));
  await page.goto(`${order.address}/`);
  await late(/\?q=/, () => page.fill("#search", order.search), leave, async () => { await titled("Namespaces"); await quiet(); });
  await late(/\?q=/, () => page.fill("#search", order.search), () => page.focus("nav.menu a"), quiet);
  await page.goto(`${order.address}/${order.repository}`);
  await late(/[?&]filter=/, () => page.fill("#filter", "1."), leave, async () => {
    await titled("Namespaces");
    is("a filter of a page that one left changes the address", new URL(page.url()).search === "");
  });

  // Listings are narrowed as one types: by names, in the address, with the focus where it was.
  for (const [path, text, all, some] of order.filters) {
    await page.goto(`${order.address}/${path}`);
    const rows = page.locator("#rows th[scope=row]");
    is(`${all} is not listed before`, (await rows.allTextContents()).some(row => row.includes(all)));
    await page.locator("#filter").pressSequentially(text);
    await page.waitForFunction(all => ![...document.querySelectorAll("#rows th[scope=row]")].some(row => row.textContent.includes(all)), all);
    is(`${some} is not among what has “${text}” in its name`, (await rows.allTextContents()).some(row => row.includes(some)));
    is(`the address does not say “${text}”`, new URL(page.url()).searchParams.get("filter") === text);
    is("the filter lost the focus", await focus() === "INPUT#filter");
    await page.waitForFunction(() => /[0-9]/.test(document.querySelector("#live").textContent));
    await watched();
    await move("location.hash = 'rows'");
    is(`a place in what was narrowed asks for ${await asked()}`, await asked() === "");
  }

  // What is answered in place of what was asked for is told, and is not taken for nothing that was found.
  for (const [status, link] of [[503, "Not available"], [429, "Too many requests"]]) {
    expected.add(status);
    await page.goto(`${order.address}/${order.repository}`);
    const refuse = route => route.fulfill({ status, contentType: "text/html", body: `<main><h1>${link}</h1></main>` });
    await page.route(/[?&](q|filter)=/, refuse);
    await page.fill("#search", order.search);
    await page.waitForSelector(`#found:not([hidden]) a:has-text("${link}")`);
    await page.fill("#filter", "1.");
    await page.waitForSelector(`#rows a:has-text("${link}")`);
    await page.unroute(/[?&](q|filter)=/, refuse);
    await page.fill("#filter", "1.1");
    await page.waitForSelector("#rows th[scope=row]");
  }

  // A page that waits goes on waiting while the registry is too busy to say more.
  const busy = [503, 429], patient = await (await open({ storageState: await context.storageState() })).newPage();
  let answers = 0;
  await patient.clock.install();
  await patient.route(`**/${order.repository}`, async route => {
    const status = answers++ ? busy.shift() : 200;
    if (!status) return route.continue();
    if (status !== 200) return route.fulfill({ status, contentType: "text/html", body: "<main><h1>Not now</h1></main>" });
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace("</main>", "<p id=waits data-again>It is on its way.</p></main>") });
  });
  await patient.goto(`${order.address}/${order.repository}`);
  await patient.evaluate(() => location.hash = "tags");
  for (let i = 0; i < 500 && await patient.locator("#waits").count(); i++) await patient.clock.runFor(1500);
  const end = await patient.textContent("h1");
  if (answers !== 4 || !order.repository.endsWith(end.trim())) find(patient.url(), `waits for ${answers} answers and shows “${end}”`);
  await patient.context().close();
  for (const status of [503, 429]) expected.delete(status);

  await page.goto(`${order.address}/${order.repository}`);
  await page.locator("[data-copy]:visible").first().click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  is(`“${copied}” was copied`, copied.includes(order.repository.replace("repositories/", "")));

  // What is shown once stays, wherever on the page one goes.
  await page.goto(`${order.address}/account/tokens`);
  await page.fill("#make [name=name]", "shown once");
  await page.click("#make button.main");
  await page.waitForSelector(".note.good");
  await watched();
  await skip();
  for (const how of ["location.hash = 'new'", "location.hash = 'main'", "history.back()"]) await move(how);
  is(`places of the page are asked for: ${await asked()}`, await asked() === "");
  is("what is shown once is gone", (await page.textContent("main")).includes("gantry_pat_"));

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
