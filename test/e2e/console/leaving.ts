import { expect, it } from 'vitest';
import { waitFor } from '../../parts/index.ts';
import type { Given } from './views.ts';

const minute = 60_000;

/** What the page does, and does no more, when nobody looks at it. */
export function leavingTests({ openAs }: Pick<Given, 'openAs'>): void {
  it('asks for news while somebody is there, and no more when the tab is left, hidden, deserted or signed out of', async () => {
    const watched = await openAs('rob', { fakeClock: true });
    const { page, faults } = watched;
    let asked: string[] = [];
    page.on('request', (request) => {
      const [, path] = /\/console\/api\/(.*)$/.exec(request.url()) ?? [];
      // The names in the mesh are asked for once the policies have come, whenever that is.
      if (path !== undefined && path !== 'world') asked.push(path);
    });
    /** What the page asks within this time of its own clock. */
    const within = async (milliseconds: number) => {
      asked = [];
      await page.clock.runFor(milliseconds);
      return new Set(asked);
    };

    await page.getByRole('list').filter({ hasText: 'Warning' }).waitFor();
    await page.getByRole('tab', { name: 'Shadow' }).click();
    await page.getByText(/^Nothing is tried\./).waitFor();
    expect(await within(minute)).toEqual(new Set(['policies', 'shadow']));

    await page.getByRole('tab', { name: 'Status' }).click();
    expect(await within(minute)).toEqual(new Set(['policies']));

    // A browser without a screen hides no tab, so that the page is told as a browser would tell it.
    const show = (visibility: 'hidden' | 'visible') =>
      page.evaluate(`Object.defineProperty(document, 'visibilityState', { configurable: true, value: '${visibility}' });
        document.dispatchEvent(new Event('visibilitychange'))`);
    await show('hidden');
    expect(await within(minute)).toEqual(new Set());
    // In no time, so that it is not by chance that it asks just then.
    await page.clock.pauseAt(Number(await page.evaluate('Date.now() + 1000')));
    asked = [];
    await show('visible');
    await waitFor(() => asked.includes('policies'), { what: 'the page to look as soon as it is seen' });
    await page.clock.resume();

    await within(5 * minute);
    expect(await within(minute)).toEqual(new Set());
    await page.mouse.move(10, 10);
    expect(await within(minute)).toContain('policies');

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    expect(await within(minute)).toEqual(new Set());
    expect(faults).toEqual([]);
    await watched.close();
  });

  it('says that a session goes on where signing out fails, and loses nothing by it', async () => {
    const watched = await openAs('rob', { expected: /status of 401|ERR_FAILED/ });
    const { page, faults } = watched;
    await page.getByLabel('Policy as YAML').fill('# typed');
    const drafts = () => page.evaluate('JSON.stringify(sessionStorage)');
    await waitFor(async () => String(await drafts()).includes('# typed'));
    await page.route('**/sign-out', (route) => route.abort());
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('alert').getByText('You are still signed in: the server does not answer').waitFor();
    expect(await page.getByLabel('Policy as YAML').textContent()).toContain('# typed');
    expect(await drafts()).toContain('# typed');
    await page.reload();
    await page.getByLabel('Policy as YAML').getByText('# typed').waitFor();

    await page.unroute('**/sign-out');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(await drafts()).toBe('{}');
    await page.reload();
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    expect(faults).toEqual([]);
    await watched.close();
  });
}
