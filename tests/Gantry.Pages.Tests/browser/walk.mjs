// Opens each page as the visitor: nothing fails, axe finds nothing in light and dark, nothing is wider than a phone, nothing is heavy.
import { examine } from "./axe.mjs";
import { each, find, open, order, work } from "./kit.mjs";

await work(async () => {
  const context = await open({ colorScheme: "light" });
  const heaviest = { path: "", bytes: 0 };
  await each(order.paths, 2, async path => {
    const page = await context.newPage();
    try {
      await page.goto(order.address + path, { waitUntil: "load" });
      // What it weighs for whom it is the first: whatever was fetched, as it was sent, and some headers.
      const bytes = await page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
        .reduce((sum, entry) => sum + entry.encodedBodySize + 300, 0));
      if (bytes > heaviest.bytes) Object.assign(heaviest, { path, bytes });
      if (bytes >= order.mostBytes) find(path, `a first visit is ${bytes} bytes`);

      await examine(page, path);

      await page.setViewportSize({ width: 360, height: 740 });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 360) find(path, `is ${width} wide on a phone of 360`);
    } finally {
      await page.close();
    }
  });
  return { heaviest };
});
