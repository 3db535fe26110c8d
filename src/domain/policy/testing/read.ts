import { SpiffeId } from '@citadel/spiffe';
import { describeError } from '../../../kernel/index.ts';
import {
  formatPath,
  parseYaml,
  schemaProblems,
  type YamlDocument,
  type YamlPath,
} from '../../../yaml/index.ts';
import { dnsLabel, isDnsSubdomain, isPolicyTest, type PolicyProblem } from '../read/index.ts';
import { inlineWorld } from './inline-world.ts';
import type { Caller, ExpectedDecider, PolicyTest, TestCall, TestCase, TestSettings } from './model.ts';
import {
  policyTestSchema,
  policyTestShape,
  type TestDocument,
  type TestSpec,
  testLimits,
  type WrittenCase,
} from './schema.ts';

/** What a text says of tests: each document by itself, so that a broken one stops no other. */
export interface PolicyTestReading {
  readonly tests: readonly PolicyTest[];
  readonly problems: readonly PolicyProblem[];
}

/** Reads all tests of a YAML or JSON text; documents of other kinds are passed over. It never throws. */
export function readPolicyTests(text: string, source: string): PolicyTestReading {
  const tests: PolicyTest[] = [];
  const problems: PolicyProblem[] = [];
  for (const document of parseYaml(text)) {
    if (document.problems.length > 0)
      problems.push(...document.problems.map((problem) => ({ source, path: '', ...problem })));
    if (!isPolicyTest(document.value)) continue;
    const reading = new TestReader(document, source).read();
    problems.push(...reading.problems);
    if (reading.test) tests.push(reading.test);
  }
  return { tests, problems };
}

type Worlds = 'workloads' | 'world' | 'registry';
const worlds: readonly Worlds[] = ['workloads', 'world', 'registry'];

class TestReader {
  readonly #document: YamlDocument;
  readonly #source: string;
  readonly #problems: PolicyProblem[] = [];
  #namespace: string | undefined;

  constructor(document: YamlDocument, source: string) {
    this.#document = document;
    this.#source = source;
  }

  read(): { readonly test: PolicyTest | undefined; readonly problems: readonly PolicyProblem[] } {
    const parsed = policyTestSchema.safeParse(this.#document.value);
    if (!parsed.success) {
      for (const problem of schemaProblems(
        parsed.error,
        policyTestShape,
        this.#document.value,
        this.#document,
      ))
        this.#refuse(problem.path, problem.message, problem.mend, problem.place);
      return { test: undefined, problems: this.#problems };
    }
    const { metadata, spec } = parsed.data;
    this.#namespace = metadata.namespace;
    const test: PolicyTest = {
      name: metadata.name,
      source: this.#source,
      policies: spec.policies ?? [],
      world: this.#world(parsed.data),
      cases: this.#cases(spec),
    };
    const sound = this.#problems.length === 0;
    return { test: sound ? test : undefined, problems: this.#problems };
  }

  #refuse(path: YamlPath, message: string, mend?: string, place = this.#document.position(path)): void {
    this.#problems.push({
      source: this.#source,
      ...place,
      path: formatPath(path),
      message,
      ...(mend === undefined ? {} : { mend }),
    });
  }

  #world({ spec }: TestDocument): PolicyTest['world'] {
    const given = worlds.filter((name) => spec[name] !== undefined);
    const [, second] = given;
    if (second !== undefined)
      this.#refuse(['spec', second], `only one may be there of ${given.join(' and ')}`);
    if (spec.world !== undefined && spec.mesh)
      this.#refuse(['spec', 'mesh'], 'a world knows this already', 'leave it out');
    if (spec.services && !spec.workloads)
      this.#refuse(['spec', 'services'], 'are of workloads, and there are none here');
    const settings = settingsOf(spec);
    if (spec.registry !== undefined) return { kind: 'registry', path: spec.registry, settings };
    if (spec.world !== undefined) return { kind: 'file', path: spec.world, settings };
    if (!spec.workloads) {
      if (spec.mesh) this.#refuse(['spec', 'mesh'], 'is for the workloads of this file, and there are none');
      return { kind: 'given' };
    }
    const world = inlineWorld(spec, settings, this.#namespace, (path, message, mend) =>
      this.#refuse(['spec', ...path], message, mend),
    );
    return { kind: 'inline', world };
  }

  #cases(spec: TestSpec): readonly TestCase[] {
    const names = new Set<string>();
    return spec.cases.map((written, index) => {
      const path = ['spec', 'cases', index];
      if (names.has(written.name))
        this.#refuse([...path, 'name'], 'is the name of a case above', 'give each a name of its own');
      names.add(written.name);
      return {
        name: written.name,
        place: this.#document.position(path),
        calls: this.#calls({ ...spec.defaults, ...written }, path),
        expect: written.expect,
        by: this.#decider(written, path),
      };
    });
  }

  #calls(written: WrittenCase, path: YamlPath): readonly TestCall[] {
    const callers = listOf(written.from).map((text) => this.#caller(text, [...path, 'from']));
    const methods = written.method === undefined ? [undefined] : listOf(written.method);
    const paths = written.path === undefined ? [undefined] : listOf(written.path);
    if (written.from === undefined)
      this.#refuse(path, 'does not say who calls', 'write from, here or in defaults');
    if (written.to === undefined)
      this.#refuse(path, 'does not say who is called', 'write to, here or in defaults');
    if (callers.length * methods.length * paths.length > testLimits.calls) {
      this.#refuse(path, `is more than ${testLimits.calls} calls`, 'write several cases');
      return [];
    }
    const to = this.#callee(written.to ?? '', [...path, 'to']);
    const { host, ip, remoteIp = ip, sni, metadata, jwt: token, custom = {} } = written;
    const headers = Object.fromEntries(
      Object.entries(written.headers ?? {}).map(([name, value]) => [name.toLowerCase(), listOf(value)]),
    );
    return callers.flatMap((from) =>
      methods.flatMap((method) =>
        paths.map(
          (each): TestCall => ({
            from,
            to,
            method,
            path: each,
            host,
            headers,
            token,
            ip,
            remoteIp,
            sni,
            custom,
            metadata,
          }),
        ),
      ),
    );
  }

  #caller(text: string, path: YamlPath): Caller {
    if (text === 'plaintext') return { kind: 'plaintext' };
    if (text.includes('://')) {
      try {
        return { kind: 'spiffe', id: SpiffeId.parse(text).toString() };
      } catch (error) {
        this.#refuse(path, `${JSON.stringify(text)} is no SPIFFE ID: ${describeError(error)}`);
        return { kind: 'plaintext' };
      }
    }
    const { namespace, name } = this.#named(text, path, 'caller');
    return { kind: 'account', namespace, serviceAccount: name };
  }

  #callee(text: string, path: YamlPath): TestCall['to'] {
    if (text === '') return { namespace: '', name: '', port: undefined };
    const [, name = '', digits] = /^(.*?)(?::(\d{1,5}))?$/.exec(text) ?? [];
    const port = digits === undefined ? undefined : Number(digits);
    if (port !== undefined && (port < 1 || port > 65_535))
      this.#refuse(path, `${digits} is no port`, 'ports are from 1 to 65535');
    return { ...this.#named(name, path, 'workload'), port };
  }

  #named(text: string, path: YamlPath, what: string): { readonly namespace: string; readonly name: string } {
    const parts = text.split('/');
    const name = parts.at(-1) ?? '';
    const namespace = parts.length > 1 ? (parts[0] ?? '') : (this.#namespace ?? '');
    if (parts.length > 2 || !isDnsSubdomain(name) || (parts.length === 2 && !dnsLabel.test(namespace)))
      this.#refuse(path, `${JSON.stringify(text)} names no ${what}`, 'write NAMESPACE/NAME');
    else if (namespace === '')
      this.#refuse(
        path,
        `${JSON.stringify(text)} is without a namespace`,
        'write NAMESPACE/NAME, or metadata.namespace for the whole test',
      );
    return { namespace, name };
  }

  #decider({ by, expect }: WrittenCase, path: YamlPath): ExpectedDecider | undefined {
    if (by === undefined || by === 'nothing') return by;
    const [, place = '', digits] = /^(.*?)(?:\[(\d+)\])?$/.exec(by) ?? [];
    const parts = place.split('/');
    const [name = '', namespace = '', written = 'AuthorizationPolicy'] = parts.toReversed();
    const kind = deciderKinds.find((each) => each === written) ?? 'AuthorizationPolicy';
    if (kind !== 'AuthorizationPolicy' && expect === 'allowed')
      this.#refuse([...path, 'by'], `a ${kind} lets nobody in`, 'name the AuthorizationPolicy, or nothing');
    return { kind, namespace, name, rule: digits === undefined ? undefined : Number(digits) };
  }
}

const deciderKinds = ['AuthorizationPolicy', 'PeerAuthentication', 'RequestAuthentication'] as const;

function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return isList(value) ? value : [value];
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function settingsOf({ mesh = {} }: TestSpec): TestSettings {
  const {
    trustDomain = 'cluster.local',
    trustDomainAliases = [],
    rootNamespace = 'istio-system',
    providers = [],
  } = mesh;
  return { trustDomain, trustDomainAliases, rootNamespace, providers };
}
