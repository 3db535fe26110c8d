import { expect, it } from 'vitest';
import { waitFor } from '../../parts/index.ts';
import { keepAlone, signIn } from './console-server.ts';
import type { Given } from './views.ts';

const key = 'AuthorizationPolicy/shop/ways';
const policy = (...callers: readonly string[]) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: ways
  namespace: shop
spec:
  selector: { matchLabels: { app: orders } }
  rules:
    - from:
        - source: { serviceAccounts: [${callers.join(', ')}] }
`;

/** What goes wrong around somebody who works. */
export function mishapTests({ console, openAs, faultsOfAccess }: Given): void {
  it('goes on where it was after a session has ended and the server was away, and shows what others did', async () => {
    await keepAlone(console(), policy('web'), 'the shop reads');
    const watched = await openAs('sue', { fakeClock: true, expected: /status of 401|ERR_FAILED/ });
    const { page, faults } = watched;
    const editor = page.getByLabel('Policy as YAML');
    await page.getByRole('button', { name: /^ways/ }).click();
    await editor.getByText('web').waitFor();
    await editor.fill(policy('web', 'orders'));
    await page.getByRole('button', { name: 'Review' }).click();
    const change = page.getByRole('tabpanel', { name: 'Change' });
    await change.getByRole('heading', { name: `changes ${key}` }).waitFor();

    // Others are quicker: the change that is looked at is one of what holds by now.
    await keepAlone(console(), policy('web', 'cron'), 'cron too');
    await page.clock.runFor(15_000);
    await page.getByText('Others have changed this policy since you began').waitFor();
    await change.locator('del').filter({ hasText: '- cron' }).waitFor();

    const cookies = await page.context().cookies();
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const out = await console().call('/console/api/sign-out', {
      method: 'POST',
      body: '{}',
      headers: { cookie },
    });
    expect(out.status).toBe(200);
    await page.getByRole('button', { name: 'Format' }).click();
    await page.getByText('Your session has ended. Sign in again').waitFor();
    await signIn(watched, console(), 'sue');
    await page.getByRole('heading', { level: 2, name: key }).waitFor();
    await editor.getByText('orders]').waitFor();

    await page.route('**/console/api/**', (route) => route.abort());
    await page.reload();
    await page.getByRole('alert').getByText('The server does not answer').waitFor();
    expect(await faultsOfAccess(page)).toEqual([]);
    await page.unroute('**/console/api/**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { level: 2, name: key }).waitFor();
    await editor.getByText('orders]').waitFor();
    expect(faults).toEqual([]);
    await watched.close();
  });

  it('says that a text is too large, or none, and brings an answer to where it is seen', async () => {
    await keepAlone(console(), policy('web'), 'the shop reads');
    const watched = await openAs('sue');
    const { page, faults } = watched;
    const editor = page.getByLabel('Policy as YAML');
    const problems = page.getByRole('tabpanel', { name: 'Problems' });
    // In one line, through which nothing that looks at it may go more than once.
    await editor.fill('x'.repeat(1_100_000));
    await problems
      .getByRole('alert')
      .getByText('not looked at: it is larger than the console takes')
      .waitFor();
    expect(await faultsOfAccess(page)).toEqual([]);
    await editor.fill('# nothing yet');
    await problems.getByText('There is no policy in this text.').waitFor();

    await page.getByRole('tab', { name: 'Status' }).click();
    expect(await faultsOfAccess(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Explain' }).click();
    const explain = page.getByRole('tabpanel', { name: 'Explain' });
    await explain.getByLabel('From', { exact: true }).fill('shop/web');
    await explain.getByLabel('To', { exact: true }).fill('shop/orders:80');
    await explain.getByText('More of the request').click();
    await explain.getByRole('button', { name: 'Explain', exact: true }).press('Enter');
    const verdict = explain.getByRole('heading', { name: /^allowed .*: GET \/$/ });
    const height = page.viewportSize()?.height ?? 0;
    await waitFor(
      async () => {
        const seen = await verdict.boundingBox();
        return seen && seen.y + seen.height < height;
      },
      { what: 'the answer to be seen' },
    );

    // Of a telephone, and of a screen at twice its size: nobody has to scroll two ways to read a line.
    for (const viewport of [
      { width: 360, height: 740 },
      { width: 640, height: 400 },
    ]) {
      await page.setViewportSize(viewport);
      for (const tab of await page.getByRole('tab').all()) {
        await tab.click();
        await page.locator('#tab-panel .command').first().waitFor();
        const beyond = await page.evaluate(
          "['html', '#tab-panel'].map((each) => document.querySelector(each)).map((at) => at.scrollWidth - at.clientWidth)",
        );
        expect(beyond, `${await tab.textContent()} at ${viewport.width}`).toEqual([0, 0]);
      }
    }
    expect(faults).toEqual([]);
    await watched.close();
  });
}
