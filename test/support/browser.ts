import { createHash, X509Certificate } from 'node:crypto';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { requirePart } from '../parts/index.ts';

/** A page, and all that must not have happened on it. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors of the console, exceptions, refused by the Content-Security-Policy, calls to hosts not named. */
  readonly faults: readonly string[];
  readonly close: () => Promise<void>;
}

export interface WatchOptions extends BrowserContextOptions {
  /** Origins that the page may speak with. */
  readonly origins: readonly string[];
  /** Of answers that a test asks for, which Chromium writes to the console. */
  readonly expected?: RegExp;
  /** Whether the page's time can be made to pass, by `page.clock`. */
  readonly fakeClock?: boolean;
}

/**
 * Debian's Chromium, which takes this certificate and no other that it cannot verify: by its public key, so that nothing has
 * to be installed.
 */
export async function startBrowser(certificatePem: string): Promise<Browser> {
  const spki = new X509Certificate(certificatePem).publicKey.export({ type: 'spki', format: 'der' });
  const pin = createHash('sha256').update(spki).digest('base64');
  return await chromium.launch({
    executablePath: requirePart('chromium'),
    args: [
      `--ignore-certificate-errors-spki-list=${pin}`,
      // A sandbox of its own needs rights that root in a container has not.
      '--no-sandbox',
      '--disable-dev-shm-usage',
    ],
  });
}

export async function openPage(
  browser: Browser,
  { origins, expected = /^$/, fakeClock = false, ...options }: WatchOptions,
): Promise<WatchedPage> {
  const context = await browser.newContext({ serviceWorkers: 'block', ...options });
  const page = await context.newPage();
  if (fakeClock) await page.clock.install();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    if (['error', 'warning'].includes(message.type()) && !expected.test(text))
      faults.push(`console: ${text}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && !origins.includes(url.origin)) faults.push(`request to ${url.origin}`);
  });
  // As text: it runs in the page, whose names are not this program's.
  await page.addInitScript(`document.addEventListener('securitypolicyviolation', (event) =>
    console.error('policy violation: ' + event.violatedDirective + ' ' + event.blockedURI))`);
  return { page, faults, close: () => context.close() };
}
