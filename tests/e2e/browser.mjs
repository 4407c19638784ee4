// A browser that holds every page to the same standard: no console error, no request to the outside,
// no sideways scrolling, no accessibility violation.

import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

/** Window sizes: the three layouts. */
export const SIZES = { wide: { width: 1440, height: 900 }, middle: { width: 1024, height: 768 }, phone: { width: 390, height: 844 } };

/** Opens a watched page. `complaints` collects what must not happen; `expect(status, path)` allows a refused call. */
export async function openBrowser({ base, shots, executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium' }) {
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const context = await browser.newContext({ viewport: SIZES.wide, colorScheme: 'light' });
  const page = await context.newPage();
  const complaints = [];
  const allowed = new Set(['401 /api/me']);
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    const status = /status of (\d+)/.exec(message.text())?.[1];
    const where = message.location().url;
    if (status && where && allowed.has(`${status} ${new URL(where).pathname}`)) return;
    complaints.push(`console: ${message.text()} ${where}`);
  });
  page.on('pageerror', (error) => complaints.push(`page: ${error.message}`));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (!['data:', 'blob:', 'about:'].includes(protocol) && origin !== new URL(base).origin) complaints.push(`outside: ${request.url()}`);
  });
  let number = 0;
  const check = async (name) => {
    await page.evaluate(async () => {
      await document.fonts.ready;
      const ending = document.getAnimations().filter((animation) => animation.effect.getComputedTiming().endTime !== Infinity);
      await Promise.allSettled(ending.map((animation) => animation.finished));
    });
    const { inner, full } = await page.evaluate(() => ({ inner: innerWidth, full: document.documentElement.scrollWidth }));
    if (full > inner) complaints.push(`overflow: ${name} is ${full} wide in ${inner}`);
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
      const { violations } = await globalThis.axe.run(document, { iframes: false });
      return violations.filter(({ impact }) => ['serious', 'critical'].includes(impact)).map(({ id, nodes }) => `${id} at ${nodes[0].target.join(' ')}`);
    });
    complaints.push(...found.map((text) => `axe: ${name}: ${text}`));
    number += 1;
    if (shots) await page.screenshot({ path: path.join(shots, `${String(number).padStart(2, '0')}-${name}.png`) });
  };
  /** Looks at the page in all three layouts, light and dark. */
  const checkAll = async (name) => {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await page.waitForTimeout(150);
        await check(`${name}-${size}-${colorScheme}`);
      }
    }
    await page.setViewportSize(SIZES.wide);
    await page.emulateMedia({ colorScheme: 'light' });
  };
  return { page, complaints, check, checkAll, expect: (status, where) => allowed.add(`${status} ${where}`), close: () => browser.close() };
}
