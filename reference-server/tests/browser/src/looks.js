// Every size, theme and language of the pages, and what shuts people out in each.
import { DESKTOP, PHONE, barriers, go, logIn, picture, scrollsSideways } from "./browser.js";

const SIZES = { desktop: { viewport: DESKTOP }, phone: { viewport: PHONE, hasTouch: true } };
const LOCALES = { en: "en-GB", de: "de-DE" };
// Every size with every theme, every size with every language, every theme with every language: four looks do that.
export const LOOKS = [
  ["desktop", "light", "en"], ["desktop", "dark", "de"], ["phone", "light", "de"], ["phone", "dark", "en"],
].map(([size, colorScheme, language]) => [
  `${size}-${colorScheme}-${language}`, { ...SIZES[size], colorScheme, locale: LOCALES[language] },
]);

// Looks at every page and dialog, takes pictures that are called after the look, and returns the barriers.
export async function barriersEverywhere(visitor, name) {
  const found = await barriers(visitor, "login");
  await picture(visitor, `${name}-login`);
  await logIn(visitor);
  // Every page that the navigation knows: none is forgotten here.
  const links = visitor.locator("#nav a");
  for (const where of await links.evaluateAll((all) => all.map(({ hash }) => hash.slice(1)))) {
    await go(visitor, where);
    await visitor.waitForTimeout(300);
    found.push(...(await barriers(visitor, where)));
    if (await scrollsSideways(visitor)) found.push(`${where} scrolls sideways`);
    await picture(visitor, `${name}-${where}`);
  }
  // The rows of the first visit would be clicked before they make way for new ones.
  await visitor.evaluate(() => document.getElementById("students-rows").replaceChildren());
  await go(visitor, "students");
  // In the row: what is done every day, and the menu with the rest.
  for (const [dialog, at] of [["change", 3], ["merge", 5], ["confirm", 6]]) {
    const buttons = visitor.locator("#students-rows tr").first().locator("button");
    await buttons.nth(1).click();
    if (dialog === "change") {
      await visitor.waitForSelector(".menu:popover-open");
      found.push(...(await barriers(visitor, "menu")));
      await picture(visitor, `${name}-menu`);
    }
    await buttons.nth(at).click();
    await visitor.waitForSelector(`#${dialog}[open]`);
    found.push(...(await barriers(visitor, dialog)));
    await picture(visitor, `${name}-${dialog}`);
    await visitor.keyboard.press("Escape");
  }
  return found;
}
