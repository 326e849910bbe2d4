// One Lighthouse run: node lighthouse.mjs MODULES CHROMIUM URL FORM_FACTOR [COOKIE_NAME=VALUE]
// Prints the scores and the figures behind them as JSON.

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, chromium, url, formFactor, cookie] = process.argv.slice(2);
const require = createRequire(pathToFileURL(join(modules, "x.js")));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { default: lighthouse, desktopConfig } = await load("lighthouse");
const { launch } = await load("chrome-launcher");
const { default: puppeteer } = await load("puppeteer-core");

const chrome = await launch({
  chromePath: chromium,
  chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"],
});
try {
  const browser = await puppeteer.connect({
    browserURL: `http://127.0.0.1:${chrome.port}`,
    defaultViewport: null,
  });
  const page = await browser.newPage();
  if (cookie) {
    const [name, value] = cookie.split("=");
    await page.setCookie({ name, value, url, httpOnly: true });
  }
  const flags = { port: chrome.port, disableStorageReset: true, logLevel: "error" };
  const config = formFactor === "desktop" ? desktopConfig : undefined;
  const { lhr } = await lighthouse(url, flags, config, page);
  if (lhr.runtimeError) throw new Error(lhr.runtimeError.message);
  const scores = Object.fromEntries(
    Object.values(lhr.categories).map(({ id, score }) => [id, Math.round(score * 100)]),
  );
  const figures = Object.fromEntries(
    [
      "first-contentful-paint",
      "largest-contentful-paint",
      "total-blocking-time",
      "cumulative-layout-shift",
      "speed-index",
      "total-byte-weight",
    ].map((id) => [id, lhr.audits[id]?.numericValue]),
  );
  const failed = Object.values(lhr.categories).flatMap(({ id: category, auditRefs }) =>
    auditRefs
      .filter(({ id, weight }) => weight > 0 && (lhr.audits[id].score ?? 1) < 0.9)
      .map(({ id }) => `${category}: ${lhr.audits[id].title}`),
  );
  console.log(JSON.stringify({ url: lhr.finalDisplayedUrl, scores, figures, failed }));
  await browser.disconnect();
} finally {
  await chrome.kill();
}
