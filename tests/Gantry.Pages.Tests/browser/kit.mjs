// Debian's Chromium for the tests: an order comes in as JSON, what was found goes out as JSON.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

export const order = JSON.parse(readFileSync(0, "utf8"));
export const findings = [];
export const find = (where, what) => findings.push(`${where}: ${what}`);

/** Statuses that are meant to come now. */
export const expected = new Set();

// As root there is no sandbox; nothing but the registry's own pages is opened.
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });

/** A window of the order's visitor, in which nothing may go wrong unnoticed. */
export async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, reducedMotion: "reduce", ...options });
  if (order.cookies) await context.addCookies(order.cookies.map(cookie => ({ ...cookie, url: order.address })));
  context.setDefaultTimeout(20_000);
  context.on("request", request => {
    if (![order.address, ...order.others ?? []].some(address => request.url().startsWith(address))) find(request.frame().url(), `asks for ${request.url()}`);
  });
  context.on("response", response => {
    if (response.status() >= 400 && !expected.has(response.status())) find(response.frame().url(), `${response.url()} answers ${response.status()}`);
  });
  context.on("console", message => {
    const isMeant = [...expected].some(status => message.text().includes(`responded with a status of ${status}`));
    if (!isMeant && (message.type() === "error" || message.type() === "warning")) find(message.page()?.url(), `the console says: ${message.text()}`);
  });
  context.on("weberror", fault => find(fault.page()?.url(), `the script fails: ${fault.error()}`));
  return context;
}

/** Does the work and answers; a step that fails is a finding, with where it was. */
export async function work(steps) {
  let answer = {};
  try {
    answer = await steps() ?? {};
  } catch (fault) {
    find("the script", fault.stack);
  }
  await browser.close();
  console.log(JSON.stringify({ findings: [...new Set(findings)], ...answer }));
}

/** Runs a step for each, some at once. */
export async function each(list, width, step) {
  const rest = [...list];
  await Promise.all(Array.from({ length: width }, async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
      try {
        await step(next);
      } catch (fault) {
        find(String(next), fault.stack);
      }
    }
  }));
}
