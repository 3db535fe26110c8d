import {
  parseYaml,
  type YamlDocument,
  type YamlPath,
  type YamlPlace,
  type YamlPositions,
} from '../../../yaml/index.ts';
import type { Policy } from '../model.ts';
import { type ReadOptions, type ReadPolicy, readPolicy } from './object.ts';
import { type PolicyProblem, policyKey } from './problem.ts';

/** Where a part of a policy stands in the text that it was read from. */
export type PolicyLocator = (policy: Policy, path: YamlPath) => YamlPlace | undefined;

/** What a text says: each object by itself, so that a broken one stops no other. */
export interface PolicyReading {
  readonly policies: readonly Policy[];
  readonly problems: readonly PolicyProblem[];
  readonly locate: PolicyLocator;
  /** The object that a policy was read from, before anything was made of it. */
  readonly valueOf: (policy: Policy) => unknown;
}

/** Whether a document tests policies: it stands beside them, and is none. */
export function isPolicyTest(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'PolicyTest';
}

/** Reads all policies of a YAML or JSON text; lists as kubectl prints them are read too, tests are passed over. It never throws. */
export function readPolicies(text: string, options: Omit<ReadOptions, 'positions'>): PolicyReading {
  const positions = new Map<Policy, YamlPositions>();
  const values = new Map<Policy, unknown>();
  const problems: PolicyProblem[] = [];
  const taken = new Map<string, Policy>();
  const { maximumBytes } = options;
  for (const document of parseYaml(text, maximumBytes === undefined ? {} : { maximumBytes })) {
    for (const { read, at, value } of objectsOf(document, options)) {
      problems.push(...read.problems);
      if (!read.policy || !read.identity) continue;
      const first = taken.get(policyKey(read.identity));
      if (first) {
        problems.push({
          source: options.source,
          ...at.position(['metadata', 'name']),
          object: read.identity,
          path: 'metadata.name',
          message: `is there already, on line ${first.meta.origin.line}`,
          mend: 'the first one counts; give this one another name',
        });
        continue;
      }
      taken.set(policyKey(read.identity), read.policy);
      positions.set(read.policy, at);
      values.set(read.policy, value);
    }
  }
  return {
    policies: [...taken.values()],
    problems,
    locate: (policy, path) => positions.get(policy)?.position(path),
    valueOf: (policy) => values.get(policy),
  };
}

interface Found {
  readonly read: ReadPolicy;
  readonly at: YamlPositions;
  readonly value: unknown;
}

function objectsOf(document: YamlDocument, options: Omit<ReadOptions, 'positions'>): readonly Found[] {
  if (document.problems.length > 0) {
    const problems = document.problems.map((problem) => ({ source: options.source, path: '', ...problem }));
    return [{ read: { identity: undefined, policy: undefined, problems }, at: document, value: undefined }];
  }
  if (document.value === undefined || isPolicyTest(document.value)) return [];
  const items = itemsOf(document.value);
  if (items)
    return items.map((item, index) => {
      const at = within(document, ['items', index]);
      return { read: readPolicy(item, { ...options, positions: at }), at, value: item };
    });
  const read = readPolicy(document.value, { ...options, positions: document });
  return [{ read, at: document, value: document.value }];
}

/** The objects of `kind: List`, and of `AuthorizationPolicyList` and its like. */
function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('items' in value))
    return undefined;
  const { kind, items } = value;
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : undefined;
}

function within(positions: YamlPositions, prefix: YamlPath): YamlPositions {
  return {
    position: (path) => positions.position([...prefix, ...path]),
    keyPosition: (parent, key) => positions.keyPosition([...prefix, ...parent], key),
  };
}
