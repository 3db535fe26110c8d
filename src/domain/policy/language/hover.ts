import { cursorAt, formatPath, type YamlCursor, type YamlPlace } from '../../../yaml/index.ts';
import { decide } from '../decide/index.ts';
import { callerOf } from '../explain/index.ts';
import { policiesByWorkload } from '../holding.ts';
import type { AuthorizationPolicy, Policy } from '../model.ts';
import { isPolicyKind, policyKeyOf, readPolicies } from '../read/index.ts';
import { fieldHelp } from '../schema/index.ts';
import { indexPolicies } from '../select.ts';
import { type PolicyWorld, withPolicies } from '../world/index.ts';
import { documentOf } from './document.ts';
import { effectOf } from './effect.ts';

/** What is said of what stands at a place, in Markdown. */
export interface Hover {
  readonly text: string;
  readonly start: YamlPlace;
  readonly end: YamlPlace;
}

/**
 * What a field means; in a world also which workloads a policy holds for, who is meant by a name, and what a policy does there,
 * or one of its rules.
 */
export function hoverAt(text: string, place: YamlPlace, world: PolicyWorld | undefined): Hover | undefined {
  const cursor = cursorAt(text, place);
  if (!cursor) return undefined;
  const { kind } = documentOf(cursor.document);
  if (kind === undefined) return undefined;
  const parts = [
    `**${formatPath(cursor.path) || kind}**`,
    fieldHelp(kind, cursor.path) ?? fieldHelp(kind, cursor.path.slice(0, -1)),
    world && isPolicyKind(kind) ? inWorld(text, cursor, world) : undefined,
  ].filter((part) => part !== undefined);
  return parts.length < 2 ? undefined : { text: parts.join('\n\n'), start: cursor.start, end: cursor.end };
}

function inWorld(text: string, cursor: YamlCursor, world: PolicyWorld): string | undefined {
  const { path, role } = cursor;
  const names = path.filter((part) => typeof part === 'string');
  const [top, second, third] = path;
  if (role === 'value' && names.includes('source')) return meant(names.at(-1) ?? '', cursor, world);
  const isWhole = top === 'kind' || (second === 'action' && path.length === 2);
  const isRule = role === 'key' && second === 'rules';
  const isPlace =
    second === 'selector' || second === 'targetRefs' || (top === 'metadata' && second !== 'annotations');
  if (!isWhole && !isRule && !isPlace) return undefined;
  const { policies } = readPolicies(text, { source: '' });
  const policy = policyAt(policies, cursor);
  if (!policy) return undefined;
  return [
    isRule ? undefined : holdsFor(policy, world),
    isPlace ? undefined : effectOf(policy, typeof third === 'number' ? third : undefined, policies, world),
  ]
    .filter((part) => part !== undefined)
    .join('\n\n');
}

/** The policy of the document, as it is read; undefined where it is broken. */
function policyAt(policies: readonly Policy[], { document }: YamlCursor): Policy | undefined {
  const { kind, namespace, name } = documentOf(document);
  return policies.find((policy) => policyKeyOf(policy) === `${kind}/${namespace}/${name}`);
}

const mostNames = 20;

function holdsFor(policy: Policy, world: PolicyWorld): string {
  const workloads = [...world.workloads.values()];
  const holding = policiesByWorkload(indexPolicies(withPolicies(world, [policy])), workloads);
  const found = workloads.filter(({ id }) => holding.get(id)?.includes(policy) === true);
  return told('Holds for', found.map(nameOf), 'workload');
}

/** Who of the world is meant by an entry of a source. */
function meant(list: string, { text, document }: YamlCursor, world: PolicyWorld): string | undefined {
  const { namespace = 'default' } = documentOf(document);
  const key = list.replace(/^not([A-Z])/, (_, first: string) => first.toLowerCase());
  if (!['principals', 'namespaces', 'serviceAccounts', 'trustDomains'].includes(key)) return undefined;
  const { policies } = readPolicies(JSON.stringify(asking(namespace, key, text)), { source: '' });
  const found = [...world.workloads.values()].filter(({ id }) => matches(policies, id, world)).map(nameOf);
  return told('Stands for', found, 'workload');
}

/** A policy that matches whom one entry means, and nobody else. */
function asking(namespace: string, list: string, entry: string): object {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { namespace, name: 'a' },
    spec: { action: 'DENY', rules: [{ from: [{ source: { [list]: [entry] } }] }] },
  };
}

function matches(policies: readonly Policy[], workload: string, world: PolicyWorld): boolean {
  const { identity } = callerOf(world, workload);
  const nowhere = '192.0.2.1';
  const { verdict } = decide(
    policies.filter((policy): policy is AuthorizationPolicy => policy.kind === 'AuthorizationPolicy'),
    {
      sourcePrincipal: identity,
      sourceIp: nowhere,
      remoteIp: nowhere,
      destinationIp: nowhere,
      destinationPort: 1,
    },
    { ...world.settings, tcp: true, customVerdicts: new Map() },
  );
  return verdict === 'deny';
}

function nameOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

function told(what: string, names: readonly string[], thing: string): string {
  const all = [...new Set(names)].toSorted();
  if (all.length === 0) return `${what} no ${thing} that is there.`;
  const more = all.length > mostNames ? `, and ${all.length - mostNames} more` : '';
  const few = all.slice(0, mostNames).map((name) => `\`${name}\``);
  return `${what} ${names.length} ${names.length === 1 ? thing : `${thing}s`}: ${few.join(', ')}${more}.`;
}
