import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPart, waitFor } from '../../parts/index.ts';
import { openPage, startBrowser, type WatchedPage, type WatchOptions } from '../../support/browser.ts';
import { type ClientCertificate, type ConsoleServer, signIn, startConsoleServer } from './console-server.ts';
import { leavingTests } from './leaving.ts';
import { mishapTests } from './mishaps.ts';
import { type Given, viewTests } from './views.ts';

const policy = (action: string, method = 'GET') => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: web-reads
  namespace: shop
spec:
  selector: { matchLabels: { app: orders } }
  action: ${action}
  rules:
    - from:
        - source: { principals: ["example.org/ns/shop/sa/web"] }
      to:
        - operation: { methods: ["${method}"], paths: ["/orders/*"] }
`;

/** The accessible name of what has the focus, as far as this page gives names. */
const focusedName = `(() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  const by = document.getElementById(at?.getAttribute('aria-labelledby'));
  return at?.getAttribute('aria-label') ?? (by ?? at?.labels?.[0] ?? at)?.textContent ?? '';
})()`;

describe.skipIf(!hasPart('chromium'))('the console in a browser', () => {
  let console: ConsoleServer;
  let browser: Browser;
  let viewer: ClientCertificate;

  beforeAll(async () => {
    console = await startConsoleServer();
    console.provider.people.set('sue', { groups: ['authors'] });
    console.provider.people.set('rob', { groups: ['readers'] });
    [browser, viewer] = await Promise.all([
      startBrowser(console.certificate),
      console.enrol('vic', 'viewer'),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await console?.[Symbol.asyncDispose]();
  });

  const open = (more: Partial<WatchOptions> = {}) =>
    openPage(browser, {
      origins: [console.origin, console.provider.issuer],
      // Whoever has not signed in is told so, which Chromium writes down.
      expected: /status of (401|409)/,
      ...more,
    });

  const sessionOf = async ({ page }: WatchedPage) => {
    const cookies = await page.context().cookies();
    return cookies.find(({ name }) => name === '__Host-citadel-session');
  };
  const cookieOf = async (watched: WatchedPage) =>
    `__Host-citadel-session=${(await sessionOf(watched))?.value}`;

  const stored = async () => (await console.server.app.store.policies.current()).policies;
  const audit = async (action: string) =>
    (await console.server.app.store.audit.find({ action, limit: 20 })).items;

  /** What axe-core finds against WCAG 2.2 AA, or these rules of it, of the whole page as it is now. */
  async function faultsOfAccess(
    page: Page,
    rules: readonly string[] = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  ): Promise<readonly string[]> {
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
      `axe.run(document, { runOnly: ${JSON.stringify(rules)} })`,
    );
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  }

  it('lets an author who signs in by OpenID Connect mend, look at and apply a policy, by the keyboard alone', async () => {
    const watched = await open();
    const { page, faults } = watched;
    const { keyboard } = page;
    const reach = async (label: RegExp) => {
      for (let tries = 0; tries < 60; tries += 1) {
        if (label.test(await page.evaluate<string>(focusedName))) return;
        await keyboard.press('Tab');
      }
      throw new Error(`Tab does not come to ${label}`);
    };

    await page.goto(`${console.origin}/`);
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    expect(await faultsOfAccess(page)).toEqual([]);
    await reach(/^Sign in$/);
    await keyboard.press('Enter');
    await page.getByLabel('Name').waitFor();
    await keyboard.type('sue');
    await keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Policies' }).waitFor();
    expect(await sessionOf(watched)).toMatchObject({
      httpOnly: true,
      secure: true,
      sameSite: 'Strict',
      path: '/',
    });
    expect(await page.evaluate('document.cookie')).toBe('');

    await reach(/^Policy as YAML$/);
    await keyboard.press('Control+a');
    await keyboard.insertText(policy('ALOW'));
    const problem = page.getByRole('button', { name: /Problem 8:11 spec\.action must be one of ALLOW/ });
    await problem.waitFor();
    expect(await faultsOfAccess(page)).toEqual([]);
    // From the editor on to the list of problems, and by one of them back to its place.
    await reach(/^Problem8:11/);
    await keyboard.press('Enter');
    await keyboard.press('Shift+End');
    await keyboard.type('ALLOW');
    await page.getByText('Nothing is wrong with this text.').waitFor();

    await keyboard.press('Control+s');
    const change = page.getByRole('tabpanel', { name: 'Change' });
    await change.getByRole('heading', { name: 'creates AuthorizationPolicy/shop/web-reads' }).waitFor();
    expect(await change.locator('ins').allTextContents()).toContain('+   action: ALLOW\n');
    // What the text changes, and what that does: without a policy all was allowed.
    const denied = change.getByRole('listitem').filter({ hasText: 'becomes denied' });
    await denied
      .first()
      .getByText(/^allowed: no ALLOW policy holds; then denied: no ALLOW policy matches$/)
      .waitFor();
    expect(await change.getByText('becomes allowed').count()).toBe(0);
    expect(await stored()).toEqual([]);
    expect(await faultsOfAccess(page)).toEqual([]);
    await reach(/^Why$/);
    await keyboard.type('the shop reads orders');
    expect(await change.locator('.command code').first().textContent()).toBe(
      "citadel policy apply policy.yaml --reason 'the shop reads orders'",
    );
    await keyboard.press('Enter');
    await page.getByText('Revision 1: 1 policy changed.').waitFor();
    await page.getByRole('button', { name: /^web-reads/ }).waitFor();

    expect(await stored()).toMatchObject([
      { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'web-reads' },
    ]);
    expect(await audit('policy.apply')).toMatchObject([
      {
        outcome: 'allowed',
        subject: `oidc:${console.provider.issuer}#sue`,
        proof: 'oidc',
        reason: 'the shop reads orders',
      },
    ]);
    expect(faults).toEqual([]);

    // Somebody else is first: nothing is overwritten, and what would happen now is shown.
    await page.getByLabel('Policy as YAML').focus();
    await keyboard.press('Control+a');
    await keyboard.insertText(policy('ALLOW', 'POST'));
    await keyboard.press('Control+s');
    await change.getByRole('heading', { name: 'changes AuthorizationPolicy/shop/web-reads' }).waitFor();
    const other = { subject: 'operator:other', proof: 'client-certificate' };
    const texts = [{ source: 'other', text: policy('DENY') }];
    await console.server.app.policies?.apply({ texts, remove: [] }, 1, other, 'meanwhile');
    await reach(/^Why$/);
    await keyboard.type('more');
    await keyboard.press('Enter');
    await page
      .getByRole('alert')
      .filter({ hasText: 'Somebody has changed the policies meanwhile' })
      .waitFor();
    await waitFor(async () => (await change.locator('del').allTextContents()).includes('−   action: DENY\n'));
    expect((await stored())[0]?.text).toContain('DENY');
    expect(faults).toEqual([]);
    await watched.close();
  });

  it('shows a viewer all and lets him change nothing, by his certificate, which his session is worth nothing without', async () => {
    const before = await stored();
    const watched = await open({
      ignoreHTTPSErrors: true,
      clientCertificates: [{ origin: console.origin, ...viewer }],
      expected: /status of (401|403)/,
    });
    const { page, faults } = watched;
    await page.goto(`${console.origin}/console/`);
    await page.getByRole('button', { name: 'Use a client certificate' }).click();
    await page.getByText('operator:vic').waitFor();
    await page.getByRole('button', { name: /^strict/ }).click();
    await page.getByText('kept in', { exact: false }).first().waitFor();
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByRole('tabpanel', { name: 'Change' }).getByText('so none of it is applied').waitFor();
    await page.getByRole('button', { name: 'New policy' }).click();
    await page.getByLabel('Policy as YAML').fill(policy('ALLOW', 'PUT'));
    await page.getByText('applying needs the role author').waitFor();
    await page.getByRole('tab', { name: 'Explain' }).click();
    await page.getByLabel('From', { exact: true }).fill('shop/web');
    await page.getByLabel('To', { exact: true }).fill('shop/orders:80');
    await page.getByLabel('Path', { exact: true }).fill('/orders/42');
    await page.getByRole('button', { name: 'Explain', exact: true }).click();
    const explanation = page.getByRole('tabpanel', { name: 'Explain' });
    await explanation.getByRole('heading', { name: /^denied .*: GET \/orders\/42$/ }).waitFor();
    expect(await explanation.getByLabel('Why').textContent()).toMatch(
      /x methods +wants PUT, came GET {2}\(editor:13:\d+ /,
    );
    expect(await explanation.locator('.command code').textContent()).toBe(
      'citadel policy explain policy.yaml --from shop/web --to shop/orders:80 --method GET --path /orders/42',
    );
    expect(await faultsOfAccess(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Callers' }).click();
    await page.getByLabel('Who may call').fill('shop/orders');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    const ways = page.getByRole('region', { name: 'Ways in' });
    await ways
      .getByRole('row', { name: /orders:8080 example\.org\/ns\/shop\/sa\/web PUT \/orders\/\*/ })
      .waitFor();
    expect(await page.locator('.graph path').count()).toBe(1);
    expect(await faultsOfAccess(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Change' }).click();
    expect(await page.getByRole('button', { name: 'Apply', exact: true }).isDisabled()).toBe(true);

    // What the page does not offer, the server does not do either.
    const cookie = await cookieOf(watched);
    const body = JSON.stringify({
      text: policy('ALLOW', 'PUT'),
      remove: [],
      expectedRevision: 2,
      reason: 'r',
    });
    const apply = { method: 'POST', headers: { cookie }, body };
    expect(await console.call('/console/api/apply', { ...apply, client: viewer })).toMatchObject({
      status: 403,
    });
    expect(await audit('operator.applyPolicies')).toMatchObject([
      { outcome: 'refused', subject: 'operator:vic' },
    ]);
    expect(await console.call('/console/api/whoami', { headers: { cookie } })).toMatchObject({ status: 401 });
    const eve = await console.enrol('eve', 'operator');
    const stolen = await console.call('/console/api/whoami', { headers: { cookie }, client: eve });
    expect(stolen).toMatchObject({
      status: 401,
      headers: { 'set-cookie': [expect.stringContaining('Max-Age=0')] },
    });
    expect(await stored()).toEqual(before);
    expect(faults).toEqual([]);
    await watched.close();
  });

  it('ends a sign-in that is replayed, made up, or another’s, and believes no lie about it', async () => {
    const refused = { status: 303, location: '/console/#sign-in=Unauthenticated' };
    const begun = async () => {
      const { text, headers } = await console.call('/console/api/sign-in/oidc', {
        method: 'POST',
        body: '{}',
      });
      const [cookie = ''] = headers['set-cookie']?.map((each) => each.split(';', 1)[0]) ?? [];
      const { location }: { readonly location: string } = JSON.parse(text);
      const at = await fetch(`${location}&name=sue`, { redirect: 'manual' });
      return { cookie, back: new URL(at.headers.get('location') ?? '') };
    };
    const finish = async (back: URL, cookie: string | undefined) => {
      // As a browser sends it on from the provider.
      const from = {
        'x-citadel-console': undefined,
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
      };
      const headers = { ...from, 'sec-fetch-dest': 'document', cookie };
      const reply = await console.call(back.pathname + back.search, { headers });
      const cookies = reply.headers['set-cookie'] ?? [];
      const session = cookies.find((each) => /^__Host-citadel-session=./.test(each));
      return { status: reply.status, location: reply.headers.location, session };
    };

    const first = await begun();
    const good = await finish(first.back, first.cookie);
    expect(good).toMatchObject({ status: 303, location: '/console/', session: expect.any(String) });
    expect(await finish(first.back, first.cookie)).toMatchObject({ ...refused, session: undefined });
    const other = await begun();
    expect(await finish(other.back, undefined)).toMatchObject({ ...refused, session: undefined });
    const mixed = await begun();
    expect(await finish(other.back, mixed.cookie)).toMatchObject({ ...refused, session: undefined });
    for (const lie of [{ nonce: 'other' }, { azp: 'other-client' }]) {
      const { back, cookie } = await begun();
      console.provider.lie = lie;
      expect(await finish(back, cookie)).toMatchObject({ ...refused, session: undefined });
    }
    const elsewhere = await begun();
    elsewhere.back.searchParams.set('iss', 'https://evil.example');
    expect(await finish(elsewhere.back, elsewhere.cookie)).toMatchObject({ ...refused, session: undefined });
    const reasons = (await audit('console.sign-in')).map(({ outcome, reason }) => `${outcome}: ${reason}`);
    expect(reasons.slice(0, 6)).toEqual([
      'refused: the sign-in failed: another provider answered',
      'refused: the token is not taken: it was given to another client',
      'refused: the token is not taken: it is of another sign-in',
      'refused: the sign-in failed: its state is another one’s',
      'refused: this sign-in did not begin here, or took too long',
      'refused: this sign-in did not begin here, or took too long',
    ]);
  });

  it('keeps what is typed when a session ends by itself', async () => {
    const watched = await open();
    const { page, faults } = watched;
    await signIn(watched, console, 'rob');
    await page.getByLabel('Policy as YAML').fill(policy('AUDIT'));
    await page.getByText('Nothing is wrong with this text.').waitFor();
    const cookie = await cookieOf(watched);
    expect(await console.call('/console/api/whoami', { headers: { cookie } })).toMatchObject({ status: 200 });
    console.pass(31 * 60_000);
    expect(await console.call('/console/api/whoami', { headers: { cookie } })).toMatchObject({ status: 401 });
    await page.getByRole('button', { name: 'Format' }).click();
    await page.getByText('Your session has ended.').waitFor();
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByLabel('Name').fill('rob');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByLabel('Policy as YAML').getByText('action: AUDIT').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    expect(await sessionOf(watched)).toBeUndefined();
    expect(faults).toEqual([]);
    await watched.close();
  });

  it('answers nobody but its own page, and is framed, guessed and fed by none', async () => {
    const post = { method: 'POST', body: '{}' };
    const big = JSON.stringify({ text: 'x'.repeat(1024 * 1024) });
    const cases: readonly (readonly [string, number, string, object])[] = [
      ['without its header', 403, '/console/api/sign-in', { headers: { 'x-citadel-console': undefined } }],
      ['from another site', 403, '/console/api/sign-in', { headers: { 'sec-fetch-site': 'cross-site' } }],
      [
        'from another port of the host',
        403,
        '/console/api/sign-in',
        { headers: { 'sec-fetch-site': 'same-site' } },
      ],
      [
        'with another origin',
        403,
        '/console/api/sign-out',
        { ...post, headers: { origin: 'https://evil.example' } },
      ],
      ['with none', 403, '/console/api/sign-out', { ...post, headers: { origin: undefined } }],
      ['as a form', 415, '/console/api/sign-out', { ...post, headers: { 'content-type': 'text/plain' } }],
      ['by another name', 421, '/console/', { headers: { host: 'evil.example' } }],
      ['signed out', 401, '/console/api/policies', {}],
      ['signed out, with much', 401, '/console/api/plan', { ...post, body: big }],
      ['with much', 413, '/console/api/sign-out', { ...post, body: big }],
      ['with what is not known', 400, '/console/api/sign-out', { ...post, body: '{"a":1}' }],
      ['by another method', 405, '/console/api/sign-out', {}],
      ['for what is not there', 404, '/console/api/nothing', {}],
      ['for a file beside', 404, '/console/../package.json', {}],
      ['for a hidden one', 404, '/console/.built-from', {}],
    ];
    for (const [what, status, path, call] of cases)
      expect({ what, status: (await console.call(path, call)).status }).toEqual({ what, status });
    const { headers, text } = await console.call('/console/');
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'; (?!.*unsafe).*frame-ancestors 'none'/,
    );
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
    });
    expect(text).not.toMatch(/<script(?! type="module" src="\/console\/app\.js"><)|<style| style=| on\w+=/);
    expect(headers['set-cookie']).toBeUndefined();
  });

  const openAs: Given['openAs'] = async (name, options) => {
    const watched = await open({ expected: /status of (401|412)/, ...options });
    await signIn(watched, console, name);
    return watched;
  };
  viewTests({ console: () => console, openAs, faultsOfAccess });
  leavingTests({ openAs });
  mishapTests({ console: () => console, openAs, faultsOfAccess });
});
