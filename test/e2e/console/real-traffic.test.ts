import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { freePort, hasPart, waitFor } from '../../parts/index.ts';
import { openPage, startBrowser } from '../../support/browser.ts';
import { startApplication, startWorkload } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';
import { runShown, signIn, startConsoleServer } from './console-server.ts';

const policy = (rules: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ways, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  rules:
${rules}`;
const webCalls = policy('    - from: [{ source: { serviceAccounts: [web] } }]\n');
const webReadsAndCron = policy(`    - from: [{ source: { serviceAccounts: [web] } }]
      to: [{ operation: { methods: [GET] } }]
    - from: [{ source: { serviceAccounts: [cron] } }]
`);

function statusOf(port: number, method: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.once('error', reject).end();
  });
}

describe.skipIf(!hasPart('chromium') || !hasPart('envoy'))('the console over proxies that run', () => {
  it('shows on which real calls a candidate disagrees, as they come, and makes it hold', async () => {
    await using stack = new AsyncDisposableStack();
    const application = stack.use(await startApplication('orders'));
    const [port, web, cron] = await Promise.all([freePort(), freePort(), freePort()]);
    const orders = { name: 'orders', ports: [{ port, application: application.port }] };
    const service = { name: 'orders', ports: [{ port: 80, targetPort: port }] };
    const console = stack.use(
      await startConsoleServer(registryText([orders, ...callersOf('orders', 80, { web, cron })], [service])),
    );
    console.provider.people.set('sue', { groups: ['authors'] });
    const other = { subject: 'operator:other', proof: 'client-certificate' };
    const texts = [{ source: 'test', text: webCalls }];
    await console.server.app.policies?.apply({ texts, remove: [] }, 0, other, 'web calls');
    const [browser, ...workloads] = await Promise.all([
      startBrowser(console.certificate),
      ...['orders', 'web', 'cron'].map((name) => startWorkload(console.server, name, name)),
    ]);
    stack.defer(() => browser.close());
    for (const workload of workloads) stack.use(workload);
    const verdicts = async () => ({
      webReads: await statusOf(web, 'GET', '/orders/1'),
      webWrites: await statusOf(web, 'POST', '/orders'),
      cronReads: await statusOf(cron, 'GET', '/orders/2?token=of-nobody'),
    });
    const asBefore = { webReads: 200, webWrites: 200, cronReads: 403 };
    await waitFor(async () => JSON.stringify(await verdicts()) === JSON.stringify(asBefore), {
      what: 'the policies to hold',
    });

    const watched = await openPage(browser, {
      origins: [console.origin, console.provider.issuer],
      expected: /status of 401/,
    });
    const { page, faults } = watched;
    await signIn(watched, console, 'sue');
    await page.getByRole('button', { name: /^ways/ }).click();
    await page.getByRole('heading', { level: 2, name: 'AuthorizationPolicy/shop/ways' }).waitFor();
    await page.getByLabel('Policy as YAML').fill(webReadsAndCron);
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByLabel('Why').fill('does web write?');
    await page.getByRole('button', { name: 'Try beside what holds' }).click();
    const shadow = page.getByRole('tabpanel', { name: 'Shadow' });
    await shadow.getByRole('row', { name: /^files\/shop\/orders have it since/ }).waitFor();
    await shadow.getByText('Not ready to be promoted: nothing was observed').waitFor();

    expect(await verdicts()).toEqual(asBefore);
    // Nobody asks for it: the page looks again by itself.
    const allowed = shadow.getByRole('listitem').filter({ hasText: 'would become allowed' });
    await allowed.waitFor();
    expect(await allowed.textContent()).toMatch(
      /^would become allowed 1 call of spiffe:\/\/example\.org\/ns\/shop\/sa\/cron to files\/shop\/orders.*allowed by rule 1 of shop\/ways.*GET \/orders\/2 from 127\.0\.0\.1$/,
    );
    const denied = shadow.getByRole('listitem').filter({ hasText: 'would become denied' });
    await denied.waitFor();
    expect(await denied.textContent()).toMatch(
      /^would become denied 1 call of spiffe:\/\/example\.org\/ns\/shop\/sa\/web to .* POST \/orders from 127\.0\.0\.1$/,
    );
    expect(await shadow.getByText('Not ready to be promoted').count()).toBe(0);
    const line = (await shadow.locator('.command code').textContent()) ?? '';
    const { output } = await runShown(console, line);
    expect(output).toMatch(/^1 call of spiffe:.*\/cron to files\/shop\/orders would become allowed/m);
    expect(output).toMatch(/^1 call of spiffe:.*\/web to files\/shop\/orders would become denied/m);

    await shadow.getByRole('button', { name: 'Promote …' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByLabel('Promote it all the same').count()).toBe(0);
    await dialog.getByLabel('Why').fill('it may not');
    await dialog.getByRole('button', { name: 'Promote', exact: true }).click();
    await page.getByText('Revision 2: the candidate holds.').waitFor();
    await shadow.getByText(/^Nothing is tried\./).waitFor();
    const asTried = { webReads: 200, webWrites: 403, cronReads: 200 };
    await waitFor(async () => JSON.stringify(await verdicts()) === JSON.stringify(asTried), {
      what: 'the candidate to hold',
    });
    expect(faults).toEqual([]);
  });
});
