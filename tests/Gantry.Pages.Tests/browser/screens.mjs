// A picture of each page, light and dark.
import { each, open, order, work } from "./kit.mjs";

await work(async () => {
  for (const theme of ["light", "dark"]) {
    const context = await open({ colorScheme: theme, viewport: { width: 1120, height: 720 } });
    await each(order.pages, 1, async ({ name, path }) => {
      const page = await context.newPage();
      await page.goto(order.address + path, { waitUntil: "load" });
      await page.screenshot({ path: `${order.folder}/${name}-${theme}.png` });
      await page.close();
    });
  }
});
