// Each page with the Tab key alone: it reaches everything, in the order in which it stands there, and one sees where one is.
import { each, find, open, order, work } from "./kit.mjs";

// Longer pages are lists: their first rows say how the others are.
const most = 60;

/** In the page: has it note what gets the focus, and returns what should, in order. */
const prepare = () => {
  const name = element => `${element.tagName.toLowerCase()}${element.id ? `#${element.id}` : ""} “${(element.textContent || element.name || element.title || "").trim().slice(0, 30)}”`;
  // Of radio buttons Tab reaches one; arrows the others.
  const isLed = radio => {
    if (radio.type !== "radio") return false;
    const group = [...document.querySelectorAll("input[type=radio]")].filter(other => other.name === radio.name && other.form === radio.form);
    return radio !== (group.find(other => other.checked) ?? group[0]);
  };
  const stops = [...document.querySelectorAll("a[href],button,input,select,textarea,summary,[tabindex]")].filter(element =>
    element.tabIndex >= 0 && !element.disabled && element.type !== "hidden" && element.checkVisibility({ visibilityProperty: true }) && !isLed(element));
  const reached = [];
  Object.assign(window, { reached });
  addEventListener("focusin", event => {
    const style = getComputedStyle(event.target), box = event.target.getBoundingClientRect();
    const isSeen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 && box.width > 2 && box.height > 2;
    reached.push({ index: stops.indexOf(event.target), name: name(event.target), isSeen });
  });
  // Some pages have the focus somewhere already.
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute("tabindex");
  reached.length = 0;
  return stops.map(name);
};

await work(async () => {
  const context = await open();
  await each(order.paths, 1, async path => {
    const page = await context.newPage();
    await page.goto(order.address + path, { waitUntil: "load" });
    const stops = (await page.evaluate(prepare)).slice(0, most);
    for (let i = 0; i < stops.length; i++) await page.keyboard.press("Tab");
    // Tab goes from the day to the month within a date.
    for (let left = 4 * await page.locator("input[type=date]").count(); left > 0; left--) {
      if (await page.evaluate(() => window.reached.length) >= stops.length) break;
      await page.keyboard.press("Tab");
    }

    const reached = await page.evaluate(() => window.reached);
    for (let i = 0; i < stops.length; i++) {
      if (reached[i]?.index === i) continue;
      find(path, `Tab number ${i + 1} reaches ${reached[i]?.name ?? "nothing"}, not ${stops[i]}`);
      break;
    }
    for (const stop of reached.filter(stop => !stop.isSeen)) find(path, `one does not see that ${stop.name} has the focus`);
    await page.close();
  });
});
