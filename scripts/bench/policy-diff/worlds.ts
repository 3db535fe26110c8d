import type { MeshSnapshot, Workload } from '../../../src/domain/mesh/index.ts';
import { type Policy, type PolicyWorld, readPolicy } from '../../../src/domain/policy/index.ts';

export interface Size {
  readonly policies: number;
  readonly workloads: number;
  readonly namespaces: number;
  /** Of each list of paths and of callers. */
  readonly patterns: number;
}

const trustDomain = 'mesh.example';
const methods = ['GET', 'POST', 'PUT', 'DELETE'];

/** As a mesh of teams writes them: most allow some callers some paths of one application, some deny, some hold for all. */
export function spreadWorld(size: Size, changed: boolean): PolicyWorld {
  const { policies, namespaces } = size;
  const made = Array.from({ length: policies }, (_, at) =>
    policy(
      at,
      `team-${at % namespaces}`,
      `app-${Math.floor(at / namespaces) % 5}`,
      size,
      changed && at === 17,
    ),
  );
  return worldOf(size, made);
}

/** All on one workload. */
export function crowdedWorld(size: Size, changed: boolean): PolicyWorld {
  const made = Array.from({ length: size.policies }, (_, at) =>
    policy(at, 'team-0', 'app-0', size, changed && at === 17),
  );
  return worldOf({ ...size, namespaces: 1, workloads: 1 }, made);
}

/** What no engine can look through: beginnings and ends of hosts, paths and headers that all may hold together. */
export function pathologicalWorld(count: number, changed: boolean): PolicyWorld {
  const word = (at: number) => at.toString(2).padStart(10, '0').replaceAll('0', 'a').replaceAll('1', 'b');
  const rules = Array.from({ length: count }, (_, at) => ({
    to: [{ operation: { hosts: [`*${word(at)}`], paths: [`*${word(at * 7)}`], methods: [`*${at % 9}`] } }],
    when: [
      { key: `request.headers[x-${at}]`, values: [`*${word(at)}`] },
      { key: `request.headers[y-${at % 7}]`, notValues: [`${word(at)}*`] },
    ],
  }));
  const made = read('team-0', 'everything-at-once', {
    action: changed ? 'DENY' : 'ALLOW',
    rules,
  });
  return worldOf({ policies: 1, workloads: 1, namespaces: 1, patterns: 1 }, [made]);
}

function policy(at: number, namespace: string, app: string, size: Size, changed: boolean): Policy {
  const { patterns } = size;
  const paths = Array.from({ length: patterns }, (_, index) =>
    index % 3 === 0
      ? `/api/v${at % 7}/r${at}-${index}/*`
      : index % 3 === 1
        ? `/r${at}/{*}/i${index}`
        : `/r${at}-${index}`,
  );
  const callers = Array.from(
    { length: patterns },
    (_, index) => `team-${(at * 7 + index) % 500}/app-${index % 5}`,
  );
  const deny = at % 10 === 9;
  return read(namespace, `policy-${at}`, {
    selector: { matchLabels: { app } },
    action: deny ? 'DENY' : 'ALLOW',
    rules: [
      {
        from: [
          deny
            ? { source: { notNamespaces: [namespace, 'operations'] } }
            : {
                source: {
                  serviceAccounts: changed ? [...callers.slice(0, 15), 'guests/guest'] : callers.slice(0, 16),
                },
              },
        ],
        to: [{ operation: { paths, methods: deny ? ['DELETE'] : methods.slice(0, 1 + (at % 3)) } }],
        ...(at % 8 === 0 ? { when: [{ key: 'request.headers[x-tenant]', values: [`t-${at % 40}`] }] } : {}),
        ...(at % 16 === 3 ? { when: [{ key: 'source.ip', values: [`10.${at % 250}.0.0/16`] }] } : {}),
      },
    ],
  });
}

function read(namespace: string, name: string, spec: object): Policy {
  const { policy: made, problems } = readPolicy(
    { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata: { namespace, name }, spec },
    { source: 'bench' },
  );
  if (!made) throw new Error(JSON.stringify(problems));
  return made;
}

function worldOf({ workloads, namespaces }: Size, policies: readonly Policy[]): PolicyWorld {
  const all = Array.from({ length: workloads }, (_, at): [string, Workload] => {
    const namespace = `team-${at % namespaces}`;
    const name = `app-${Math.floor(at / namespaces) % 5}`;
    const id = `bench/${namespace}/${name}-${at}`;
    return [
      id,
      {
        id,
        namespace,
        name: `${name}-${at}`,
        serviceAccount: name,
        labels: { app: name },
        addresses: [`10.0.${Math.floor(at / 250) % 250}.${1 + (at % 250)}`],
        proxy: 'capture',
        proxyKey: undefined,
        ports: [
          { port: 8080, protocol: 'http', application: { address: '127.0.0.1', port: 8080 } },
          { port: 9000, protocol: 'tcp', application: { address: '127.0.0.1', port: 9000 } },
        ],
        egress: [],
      },
    ];
  });
  const services: MeshSnapshot['services'] = new Map();
  return {
    settings: {
      trustDomain,
      trustDomainAliases: [],
      rootNamespace: 'istio-system',
      authorizationProviders: [],
    },
    workloads: new Map(all),
    services,
    policies,
    strict: new Set(),
  };
}
