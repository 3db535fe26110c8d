import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { DecisionRecord } from '../../../src/domain/ports/index.ts';
import { decisionRecord } from '../../contract/store-samples.ts';
import { waitFor } from '../../parts/index.ts';
import type { WatchedPage, WatchOptions } from '../../support/browser.ts';
import { type ConsoleServer, keepAlone, runShown } from './console-server.ts';

export interface Given {
  readonly console: () => ConsoleServer;
  /** A page of somebody who has signed in. */
  readonly openAs: (name: string, options?: Partial<WatchOptions>) => Promise<WatchedPage>;
  /** @param rules these alone */
  readonly faultsOfAccess: (page: Page, rules?: readonly string[]) => Promise<readonly string[]>;
}

const key = 'AuthorizationPolicy/shop/ways';
const policy = (rules: string, action = 'ALLOW') => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: ways
  namespace: shop
spec:
  selector:
    matchLabels:
      app: orders
  action: ${action}
  rules:
${rules}`;
const callers = (name: string) => `    - from:
        - source:
            serviceAccounts:
              - shop/${name}
`;
const legacy = `    - to:
        - operation:
            methods:
              - POST
      when:
        - key: request.headers[x-legacy]
          values:
            - "*"
`;

/** Each view of the console that looks beyond the text in the editor. */
export function viewTests({ console, openAs, faultsOfAccess }: Given): void {
  const keep = (text: string, reason: string) => keepAlone(console(), text, reason);
  const run = (line: string, text?: string) => runShown(console(), line, text);
  const shown = async (page: Page, at = 0) =>
    (await page.locator('#tab-panel .command code').nth(at).textContent()) ?? '';

  /** axe-core finds nothing, in neither look. */
  async function isAccessible(page: Page): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      // Without transitions: half way from one colour to the other nothing is well seen.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await faultsOfAccess(page, colorScheme === 'dark' ? ['color-contrast'] : undefined)).toEqual([]);
    }
  }

  const calls = (changes: Partial<DecisionRecord>) => {
    const last = new Date(Date.now() - 2 * 3_600_000);
    return decisionRecord({ port: 8080, policy: undefined, rule: undefined, last, first: last, ...changes });
  };

  it('tells what recorded calls would come to, and what an identity may reach', async () => {
    const cron = 'spiffe://example.org/ns/shop/sa/cron';
    await keep(policy(`${callers('web')}${callers('cron')}`), 'both may call');
    await console().server.app.store.decisions.save([
      calls({ count: 40, path: '/orders/1' }),
      calls({ count: 7, path: '/orders/2', caller: cron }),
      calls({ count: 3, path: '/orders/3', caller: cron, method: 'POST' }),
    ]);
    const watched = await openAs('sue');
    const { page, faults } = watched;
    await page.getByRole('button', { name: /^ways/ }).click();
    await page.getByLabel('Policy as YAML').getByText('shop/cron').waitFor();
    const text = policy(`${callers('web')}${legacy}`);
    await page.getByLabel('Policy as YAML').fill(text);
    await page.getByText('Nothing is wrong with this text.').waitFor();

    await page.getByRole('tab', { name: 'Replay' }).click();
    const replay = page.getByRole('tabpanel', { name: 'Replay' });
    await replay.getByRole('button', { name: 'Replay', exact: true }).click();
    await replay.getByText('50 calls in 3 different ways recorded').waitFor();
    const [change, unknown] = await replay.getByRole('listitem').allTextContents();
    expect(change).toMatch(
      /^becomes denied 7 calls of spiffe:\/\/example\.org\/ns\/shop\/sa\/cron to shop\/orders:8080Now: ALLOW shop\/ways, rule 1\. Then: no ALLOW matches\.GET \/orders\/2 of /,
    );
    expect(unknown).toMatch(/^not known 3 calls: request\.headers\[x-legacy\]POST \/orders\/3 of /);
    await replay.getByText('which proxies tell of by sample (1 in a hundred)').waitFor();
    await isAccessible(page);
    const replayed = await run(await shown(page), text);
    expect(replayed).toMatchObject({ code: 1 });
    expect(replayed.output).toMatch(
      /^denied +7 +spiffe:\/\/example\.org\/ns\/shop\/sa\/cron +shop\/orders:8080/m,
    );
    // Another span is another question: what stands there is said to be of the one before.
    await replay.getByLabel('Calls of').selectOption('1h');
    await replay.getByText('has changed since: ask again').waitFor();
    await replay.getByRole('button', { name: 'Replay', exact: true }).click();
    await replay.getByText('No calls are recorded of this time').waitFor();
    await page.getByRole('button', { name: 'Remove …' }).click();
    await page.getByRole('tab', { name: 'Replay' }).click();
    const removal = await run(await shown(page));
    expect(removal.output).toMatch(/^0 calls in 0 different ways recorded/);

    // Every question is answered as if it were gone, by the page and by its command: to nobody else of the shop is it open.
    const gone = async (
      tab: string,
      fields: Readonly<Record<string, string>>,
      told: RegExp,
      printed: RegExp,
    ) => {
      await page.getByRole('tab', { name: tab }).click();
      const panel = page.getByRole('tabpanel', { name: tab });
      await panel.getByText(`As if ${key} were gone: it is marked for removal.`).waitFor();
      for (const [label, value] of Object.entries(fields))
        await panel.getByLabel(label, { exact: true }).fill(value);
      await page.keyboard.press('Enter');
      await panel.locator('h3, td').filter({ hasText: told }).waitFor();
      expect((await run(await shown(page))).output).toMatch(printed);
    };
    await isAccessible(page);
    const call = { From: 'shop/orders', To: 'shop/orders:80' };
    await gone('Explain', call, /^allowed spiffe:.*\/orders calls .*: GET \/$/, /^ALLOWED  spiffe/);
    await gone(
      'Callers',
      { 'Who may call': 'shop/orders' },
      /^any identity$/,
      /orders:8080 +any identity +any/,
    );
    await gone(
      'Reach',
      { 'What may be called by': 'shop/orders' },
      /^files\/shop\/orders:8080$/,
      /orders:8080 +any/,
    );
    await page.getByRole('button', { name: 'Keep it' }).click();

    await page.getByRole('tab', { name: 'Reach' }).click();
    const reach = page.getByRole('tabpanel', { name: 'Reach' });
    const field = reach.getByLabel('What may be called by');
    expect(
      await reach
        .locator('datalist option')
        .evaluateAll((all) => all.map((each) => each.getAttribute('value'))),
    ).toEqual(expect.arrayContaining(['plaintext', 'shop/cron', 'shop/web']));
    await field.fill('shop/cron');
    await field.press('Enter');
    await reach
      .getByRole('row', {
        name: /orders:8080 POST any .*x-legacy/,
      })
      .waitFor();
    expect(await reach.locator('.graph path').count()).toBe(1);
    await isAccessible(page);
    await page.getByText('As if the text in the editor held').waitFor();
    const reached = await run(await shown(page), text);
    expect(reached.output).toMatch(/orders:8080 +POST +any +header x-legacy is there/);
    expect(faults).toEqual([]);
    await watched.close();
  });

  it('shows each revision, what differs between two, and goes back; what comes late takes nobody’s place', async () => {
    const first = await keep(policy(callers('web')), 'the shop reads');
    const second = await keep(policy(`${callers('web')}${callers('cron')}`), 'cron too');
    const watched = await openAs('sue');
    const { page, faults } = watched;
    const editor = page.getByLabel('Policy as YAML');

    // The policy that was asked for last is in the editor, whichever answer comes last.
    let release = () => {};
    const held = new Promise<void>((done) => {
      release = done;
    });
    await page.route('**/policies/PeerAuthentication/**', async (route) => {
      await held;
      await route.continue().catch(() => undefined);
    });
    await page.getByRole('button', { name: /^strict/ }).click();
    await page.getByRole('button', { name: /^ways/ }).click();
    await editor.getByText('shop/cron').waitFor();
    release();
    await editor.press('Control+End');
    await page.keyboard.type('# typed');
    await page.getByRole('button', { name: 'ways edited' }).waitFor();
    expect(await page.getByRole('heading', { level: 2, name: key }).count()).toBe(1);
    expect(await editor.textContent()).toContain('# typed');

    await page.getByRole('tab', { name: 'History' }).click();
    const history = page.getByRole('tabpanel', { name: 'History' });
    const row = history.getByRole('row', {
      name: new RegExp(`^${first} .* operator:other the shop reads ${key} `),
    });
    await row.waitFor();
    await isAccessible(page);
    const listed = run(await shown(page));
    await row.getByRole('button', { name: `Look at revision ${first}` }).click();
    const kept = history.getByLabel(`${key} at revision ${first}`);
    await kept.getByText('shop/web').waitFor();
    expect(await kept.textContent()).not.toContain('shop/cron');
    await isAccessible(page);
    const printed = run(await shown(page));
    await history.getByRole('button', { name: 'Back to the revisions' }).click();

    await history.getByLabel('What changed from').selectOption(String(first));
    await history.getByRole('button', { name: 'Compare' }).click();
    await history.getByRole('heading', { name: `changes ${key}` }).waitFor();
    expect((await history.locator('ins').allTextContents()).join('')).toMatch(/^\+ +- shop\/cron$/m);
    await history.getByText('becomes allowed').first().waitFor();
    await isAccessible(page);
    const compared = run(await shown(page));
    await history.getByRole('button', { name: 'Back to the revisions' }).click();

    await history.getByRole('button', { name: `Roll back to revision ${first}` }).click();
    await history.getByText('becomes denied').first().waitFor();
    expect((await history.locator('del').allTextContents()).join('')).toMatch(/^− +- shop\/cron$/m);
    await isAccessible(page);
    await history.getByLabel('Why').fill("cron's not needed");
    const dry = run(await shown(page));
    expect((await listed).output).toMatch(new RegExp(`^${first} +.* the shop reads$`, 'm'));
    expect((await printed).output).toContain('shop/web');
    expect(await compared).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^Becomes allowed:/),
    });
    expect(await dry).toMatchObject({
      code: 1,
      output: expect.stringMatching(/updates .*ways[^]*Nothing was done; add --yes/),
    });
    await history.getByRole('button', { name: 'Roll back', exact: true }).click();
    await page.getByText(`Revision ${second + 1}: 1 policy changed.`).waitFor();
    const { policies } = await console().server.app.store.policies.current();
    expect(policies.find(({ name }) => name === 'ways')?.text).not.toContain('shop/cron');
    // What is edited was made of what holds no more.
    await page.getByText('Others have changed this policy since you began').waitFor();
    await page.getByRole('button', { name: 'Revert' }).click();
    await waitFor(async () => !(await editor.textContent())?.includes('shop/cron'));
    expect(faults).toEqual([]);
    await watched.close();
  });

  it('tries what is in the editor beside what holds, takes it back, and promotes it, each by a word why', async () => {
    const { store } = console().server.app;
    const revision = await keep(policy(callers('web')), 'the shop reads');
    const watched = await openAs('sue');
    const { page, faults } = watched;
    const attempt = async (rules: string) => {
      const text = policy(rules);
      await page.getByLabel('Policy as YAML').fill(text);
      await page.getByRole('button', { name: 'Review' }).click();
      const change = page.getByRole('tabpanel', { name: 'Change' });
      await change.getByRole('heading', { name: `changes ${key}` }).waitFor();
      await change.getByLabel('Why').fill('is cron used?');
      const line = await shown(page, 1);
      await change.getByRole('button', { name: 'Try beside what holds' }).press('Enter');
      await shadow.getByRole('heading', { name: /^Candidate [0-9a-f]{12}$/ }).waitFor();
      return { line, text };
    };
    const shadow = page.getByRole('tabpanel', { name: 'Shadow' });
    const dialog = page.getByRole('dialog');

    await page.getByRole('button', { name: /^ways/ }).click();
    await page.getByRole('heading', { level: 2, name: key }).waitFor();
    const { line, text } = await attempt(`${callers('web')}${callers('cron')}`);
    expect(await store.policies.candidate()).toMatchObject({ base: revision, reason: 'is cron used?' });
    expect((await store.policies.current()).revision).toBe(revision);
    await shadow.getByRole('row', { name: /files\/shop\/orders none is connected/ }).waitFor();
    await isAccessible(page);
    const status = await run(await shown(page));
    expect(status.output).toContain('Tried beside revision');

    await shadow.getByRole('button', { name: 'Take back …' }).press('Enter');
    await dialog.getByText(`${key} is tried no more`).waitFor();
    await isAccessible(page);
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Take back …');
    await shadow.getByRole('button', { name: 'Take back …' }).press('Enter');
    await dialog.getByLabel('Why').fill('too early');
    const takeBack = (await dialog.locator('.command code').textContent()) ?? '';
    expect((await run(takeBack)).output).toMatch(/is tried no more[^]*Nothing was done; add --yes/);
    await dialog.getByRole('button', { name: 'Take back' }).press('Enter');
    await shadow.getByText(/^Nothing is tried\./).waitFor();
    expect(await store.policies.candidate()).toBeUndefined();
    expect((await run(line, text)).output).toMatch(/tried beside what holds[^]*Nothing was done; add --yes/);

    await attempt(`${callers('web')}${callers('cron')}`);
    await shadow.getByRole('button', { name: 'Promote …' }).click();
    await dialog.getByLabel('Why').fill('it is');
    await dialog.getByRole('button', { name: 'Promote', exact: true }).click();
    await dialog.getByRole('alert').filter({ hasText: 'force promotes it all the same' }).waitFor();
    await dialog.getByLabel('Promote it all the same').check();
    await isAccessible(page);
    const promote = (await dialog.locator('.command code').textContent()) ?? '';
    expect(promote).toBe("citadel policy shadow promote --force --reason 'it is'");
    expect((await run(promote)).output).toMatch(/would hold[^]*Nothing was done; add --yes/);
    await dialog.getByRole('button', { name: 'Promote', exact: true }).click();
    await page.getByText(`Revision ${revision + 1}: the candidate holds.`).waitFor();
    const { policies } = await store.policies.current();
    expect(policies.find(({ name }) => name === 'ways')?.text).toContain('shop/cron');
    expect(faults).toEqual([]);
    await watched.close();
  });
}
