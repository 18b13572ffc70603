import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { linePath } from 'receipt-embedding/entities/keys';
import { type ConsoleWorld, startConsoleWorld } from './console_world.ts';

const { values } = parseArgs({
  options: {
    screenshots: { type: 'string' },
    picture: { type: 'string' },
    receipts: { type: 'string', default: '5000' },
  },
});
const folder = values.screenshots ?? (await mkdtemp(join(tmpdir(), 'console-screenshots-')));
await mkdir(folder, { recursive: true });

const totals = { passed: 0, failed: 0 };

async function check(what: string, holds: () => Promise<void>): Promise<void> {
  try {
    await holds();
    totals.passed++;
    console.log(`  ok    ${what}`);
  } catch (error) {
    totals.failed++;
    console.log(`  FAIL  ${what}\n${error instanceof Error ? error.message : String(error)}`);
  }
}

function require(holds: boolean, problem: string): void {
  if (!holds) throw new Error(problem);
}

/** A page whose errors and requests are noted. */
async function openPage(
  browser: Browser,
  { url }: Pick<ConsoleWorld, 'url'>,
  width: number,
  dark = false,
) {
  const context = await browser.newContext({
    viewport: { width, height: width < 500 ? 844 : 900 },
    colorScheme: dark ? 'dark' : 'light',
  });
  const page = await context.newPage();
  const noted = { errors: [] as string[], foreign: [] as string[], bytes: 0, asked: 0 };
  page.on('console', (message) => {
    if (message.type() === 'error') noted.errors.push(message.text());
  });
  page.on('pageerror', (error) => noted.errors.push(error.message));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) noted.foreign.push(request.url());
  });
  page.on('response', (response) => {
    if (response.headers()['content-type']?.startsWith('text/event-stream') === true) return;
    response.body().then(
      (body) => (noted.bytes += body.length),
      () => undefined,
    );
  });
  page.setDefaultTimeout(15_000);
  noted.asked = performance.now();
  await page.goto(url);
  return { page, noted, close: () => context.close() };
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

/** From the list of executions to the failed item and its log. */
async function fromRunToLog(page: Page, { failing }: ConsoleWorld): Promise<void> {
  await page.getByRole('link', { name: 'Runs', exact: true }).first().click();
  await page.getByRole('row').filter({ hasText: 'realtime' }).last().getByRole('link').click();
  const { image_id, receipt_id } = failing.receipt;
  await page.locator('.rows a', { hasText: `${image_id} ${receipt_id}` }).click();
  await page.locator('.problem', { hasText: 'UpstreamUnavailable' }).waitFor();
  const line = page.locator('.log li', { hasText: 'the function failed' }).first();
  await line.waitFor();
  const text = await line.innerText();
  require(text.includes('UpstreamUnavailable'), `the log line does not say why: ${text}`);
}

/** From a question to a hit, whose frame is where the row of the table says. */
async function checkFrame(page: Page, world: ConsoleWorld): Promise<void> {
  const receipt = world.embedded;
  const line = receipt.lines.find(({ is_noise, text }) => !is_noise && text.length > 10);
  if (line === undefined) throw new Error('there is no line to look for');
  await page.getByRole('link', { name: 'Search', exact: true }).click();
  await page.getByRole('searchbox').fill(line.text);
  await page.getByText('Filters').click();
  await page.getByLabel('Image', { exact: true }).fill(receipt.receipt.image_id);
  await page.getByRole('button', { name: 'Search' }).click();
  await page.locator('.hits a', { hasText: line.text }).first().click();
  const frame = page.locator(`[data-frame="${linePath(line)}"]`);
  await frame.waitFor();
  const [at, svg] = [await frame.boundingBox(), await page.locator('svg.receipt').boundingBox()];
  if (at === null || svg === null) throw new Error('the frame is not shown');
  const { x, y, width, height } = line.bounding_box;
  const drawn = {
    left: (at.x - svg.x) / svg.width,
    top: (at.y - svg.y) / svg.height,
    right: (at.x + at.width - svg.x) / svg.width,
    bottom: (at.y + at.height - svg.y) / svg.height,
  };
  // The row's origin is at the bottom left, the screen's at the top left.
  const expected = { left: x, top: 1 - y - height, right: x + width, bottom: 1 - y };
  for (const [side, value] of Object.entries(expected)) {
    const difference = Math.abs(drawn[side as keyof typeof drawn] - value);
    require(difference < 0.02, `${side} of the frame is ${difference} off`);
  }
}

/** The picture in the README: a receipt with a search hit framed in it. */
async function shootPicture(browser: Browser, world: ConsoleWorld, path: string): Promise<void> {
  const { page, close } = await openPage(browser, world, 1100);
  await page.setViewportSize({ width: 1100, height: 720 });
  await page.goto(`${new URL(world.url).origin}/#/search?query=oat%20milk&entity=lines`);
  await page.locator('.frame').waitFor();
  await page.screenshot({ path });
  await close();
}

/** The same way with Tab, arrows and Enter alone. */
async function checkKeyboard(page: Page): Promise<void> {
  const { keyboard } = page;
  const focusOn = async (selector: string): Promise<void> => {
    for (let presses = 0; presses < 80; presses++) {
      if ((await page.locator(`:focus`).and(page.locator(selector)).count()) > 0) return;
      await keyboard.press('Tab');
    }
    throw new Error(`Tab does not come to ${selector}`);
  };
  await page.locator('tbody a').first().waitFor();
  await focusOn('tbody tr:last-child a');
  await keyboard.press('Enter');
  await page.locator('.grid a').first().waitFor();
  await focusOn('.grid a');
  await keyboard.press('ArrowRight');
  await keyboard.press('ArrowLeft');
  await keyboard.press('Enter');
  await page.locator('.log li').first().waitFor();
  await focusOn('nav a[href="#/receipts"]');
  await keyboard.press('Enter');
  await page.locator('.rows a').first().waitFor();
  await focusOn('.rows a');
  await keyboard.press('Enter');
  await page.locator('svg.receipt a').first().waitFor();
  await focusOn('svg.receipt a');
  await keyboard.press('ArrowRight');
  await keyboard.press('Enter');
  await page.locator('.details h2').waitFor();
  require((await page.locator('.frame').count()) === 1, 'the chosen word has no frame');
  await keyboard.press('ArrowRight');
  await keyboard.press('Enter');
  require((await page.locator('.frame').count()) === 1, 'the next word has no frame');
}

/** Each page of the console, as it is now. */
async function shootAll(browser: Browser, world: ConsoleWorld, width: number, dark: boolean) {
  const { page, close } = await openPage(browser, world, width, dark);
  const name = (what: string): string => `${what}-${width}${dark ? '-dark' : ''}`;
  const widths: string[] = [];
  const look = async (what: string): Promise<void> => {
    await shoot(page, name(what));
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
    if (wide > width) widths.push(`${what} is ${wide} wide`);
  };
  await page.locator('tbody a').first().waitFor();
  await look('runs');
  await page.getByRole('row').filter({ hasText: 'realtime' }).last().getByRole('link').click();
  await page.locator('.grid .bad').first().waitFor();
  await look('run');
  await page.locator('.grid .bad').first().click();
  await page.locator('.log li').first().waitFor();
  await look('item');
  const { origin } = new URL(world.url);
  const { image_id, receipt_id } = world.embedded.receipt;
  await page.goto(`${origin}/#/receipt?image_id=${image_id}&receipt_id=${receipt_id}`);
  await page.locator('svg.receipt a').nth(5).click();
  await page.locator('.hits li').first().waitFor();
  await look('receipt');
  await page.goto(`${origin}/#/search?query=total%20to%20pay&entity=lines`);
  await page.locator('.frame').waitFor();
  await look('search');
  await page.goto(`${origin}/#/stack`);
  await page.getByText('receipts are embedded.').waitFor();
  await page.getByText('Reading …').first().waitFor({ state: 'detached' });
  await look('stack');
  await page.goto(`${origin}/#/receipts`);
  await page.locator('.rows a').first().waitFor();
  await look('receipts');
  await close();
  require(widths.length === 0, widths.join(', '));
}

/** Whoever goes on before the page has drawn its first frame. */
async function goOnAtOnce(browser: Browser, world: ConsoleWorld): Promise<void> {
  const { page, close } = await openPage(browser, world, 1280);
  await page.addInitScript(
    `addEventListener('DOMContentLoaded', () => { location.hash = '#/receipts'; });`,
  );
  await page.goto(new URL(world.url).origin);
  await page.locator('.rows a').first().waitFor();
  await close();
}

/** A page that nobody looks at asks the server for nothing, and goes on when it is looked at. */
async function lookAway(browser: Browser, world: ConsoleWorld): Promise<void> {
  const { page, close } = await openPage(browser, world, 1280);
  await page.addInitScript(`
    window.streams = 0;
    window.EventSource = class extends EventSource {
      constructor(path) { super(path); window.streams++; }
      close() { super.close(); window.streams--; }
    };`);
  await page.goto(new URL(world.url).origin);
  const streams = async (state: 'visible' | 'hidden'): Promise<number> =>
    await page.evaluate<number>(`
      Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
      window.streams`);
  await page.locator('tbody a').first().waitFor();
  const open = [await streams('visible'), await streams('hidden'), await streams('visible')];
  require(open.join() === '1,0,1', `streams while seen, not seen, seen again: ${open.join()}`);
  await close();
}

/** The figures are printed; the bound finds what hangs, also on a machine that is busy ten times over. */
const LONGEST_VIEW_MS = 15_000;

/** How long each of the first views takes in a browser that has seen nothing of the page. @returns what the first one transfers. */
async function timeFirstViews(browser: Browser, { url, receipts }: ConsoleWorld): Promise<number> {
  let transferred = 0;
  const slow: string[] = [];
  for (const [what, path, there] of [
    ['runs', '', 'tbody a'],
    ['receipts', '/#/receipts', '.rows a'],
  ] as const) {
    const first = await openPage(browser, { url }, 1280);
    let { asked } = first.noted;
    if (path !== '') {
      asked = performance.now();
      await first.page.goto(`${new URL(url).origin}${path}`);
    }
    await first.page.locator(there).first().waitFor();
    const milliseconds = Math.round(performance.now() - asked);
    console.log(`        ${what} after ${milliseconds} ms, of ${receipts} receipts`);
    if (milliseconds > LONGEST_VIEW_MS) slow.push(`${what}: ${milliseconds} ms`);
    await first.close();
    transferred ||= first.noted.bytes;
  }
  require(slow.length === 0, slow.join(', '));
  return transferred;
}

const world = await startConsoleWorld(Number(values.receipts));
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  // Root has no sandbox, and a container little shared memory.
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
try {
  const mouse = await openPage(browser, world, 1280);
  await check('a run, its failed item, the log of it', () => fromRunToLog(mouse.page, world));
  await check('a question, a hit, the frame at the row’s box', () => checkFrame(mouse.page, world));
  await check('more like this', async () => {
    await mouse.page.getByRole('link', { name: 'More like this' }).click();
    await mouse.page.locator('.hits li').first().waitFor();
    require(mouse.page.url().includes('like='), mouse.page.url());
  });
  await mouse.close();
  const keys = await openPage(browser, world, 1280);
  await check('the way without a mouse', () => checkKeyboard(keys.page));
  await keys.close();
  await check('no console error, and no request elsewhere', () => {
    const errors = [...mouse.noted.errors, ...keys.noted.errors];
    const foreign = [...mouse.noted.foreign, ...keys.noted.foreign];
    require(errors.length + foreign.length === 0, [...errors, ...foreign].join('\n'));
    return Promise.resolve();
  });
  await check('an address that changes before the first frame', () => goOnAtOnce(browser, world));
  await check('a page that nobody looks at hears nothing', () => lookAway(browser, world));
  await check('the page is below 300 kB, and its views are there at once', async () => {
    const bytes = await timeFirstViews(browser, world);
    console.log(`        ${(bytes / 1_000).toFixed(0)} kB`);
    require(bytes > 0 && bytes < 300_000, String(bytes));
  });
  for (const [width, dark] of [
    [1280, false],
    [390, false],
    [1280, true],
    [390, true],
  ] as const) {
    await check(`every page at ${width} pixels${dark ? ', dark' : ''}`, () =>
      shootAll(browser, world, width, dark),
    );
  }
  if (values.picture !== undefined) await shootPicture(browser, world, values.picture);
} finally {
  await browser.close();
  await world.close();
}
console.log(`Screenshots are in ${folder}`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 ? 0 : 1;
