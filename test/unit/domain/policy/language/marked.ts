import type { PolicyWorld } from '../../../../../src/domain/policy/index.ts';
import type { YamlPlace } from '../../../../../src/yaml/index.ts';
import { mesh, service, workload } from '../mesh.ts';

/** `|` marks the cursor. */
export function marked(text: string): readonly [string, YamlPlace] {
  const at = text.indexOf('|');
  const lines = text.slice(0, at).split('\n');
  const place = { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
  return [text.slice(0, at) + text.slice(at + 1), place];
}

const orders = workload('shop/orders', { labels: { app: 'orders', tier: 'back' } });
const web = workload('shop/web');
const mail = workload('office/mail', { serviceAccount: 'mailer' });

export const world: PolicyWorld = mesh([orders, web, mail], [], [service('shop/orders', orders)], {
  authorizationProviders: [
    {
      name: 'ext',
      kind: 'grpc',
      service: 'shop/orders',
      port: 80,
      timeout: 1000,
      failOpen: false,
      pathPrefix: '',
      includeHeaders: [],
      bodyBytes: 0,
    },
  ],
});

/** A policy of the namespace `shop`, up to its spec. */
export const head = (kind = 'AuthorizationPolicy') =>
  `apiVersion: security.istio.io/v1\nkind: ${kind}\nmetadata: {name: a, namespace: shop}\nspec:\n`;
