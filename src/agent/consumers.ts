import type {
  AdoptedKind,
  Consumer,
  ConsumerKind,
  ConsumerResource,
  TlsProgram,
} from '../domain/ports/index.ts';
import type { Clock } from '../kernel/index.ts';

/** What was seen of one resource in use. */
export interface UseObservation {
  readonly version: string;
  readonly evidence: string;
  readonly issuer?: string;
}

/** One consumer's record: what it was sent, what it accepted, what it is seen to use. Never inferred from each other. */
export interface ConsumerRecord {
  readonly id: string;
  readonly kind: ConsumerKind;
  /** Of the peer; 0 where it lives in another pid namespace. */
  readonly pid: number;
  resources(): readonly ConsumerResource[];
  sent(name: string, kind: AdoptedKind, version: string): void;
  /** @param crls the version of the CRLs that came with it */
  accepted(name: string, version: string, crls?: string): void;
  rejected(name: string, error: string): void;
  inUse(name: string, observation: UseObservation): void;
  /** It is seen to be this program. */
  is(program: TlsProgram): void;
  /** The consumer went away, and what it used with it. */
  close(): void;
}

const longestError = 1024;

/** All consumers that are connected now, for the server's report and for status. */
export class ConsumerRegistry {
  readonly #clock: Clock;
  readonly #consumers = new Map<
    string,
    { record: ConsumerRecord; view: () => Consumer; crls: () => readonly string[] }
  >();
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  list(): readonly Consumer[] {
    return [...this.#consumers.values()].map(({ view }) => view());
  }

  /** Of the CRLs that every Envoy has accepted wherever it verifies by one bundle; empty where they have not all. */
  crlVersion(): string {
    const versions = new Set(
      [...this.#consumers.values()]
        .filter(({ record }) => record.kind === 'envoy-sds')
        .flatMap(({ crls }) => crls()),
    );
    const [only = ''] = versions;
    return versions.size === 1 ? only : '';
  }

  records(): readonly ConsumerRecord[] {
    return [...this.#consumers.values()].map(({ record }) => record);
  }

  /** Called after each change; @returns a function that ends the subscription */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  open(id: string, kind: ConsumerKind, pid: number): ConsumerRecord {
    const resources = new Map<string, ConsumerResource>();
    /** By name, of each resource that could bear them. */
    const acceptedCrls = new Map<string, string>();
    let lastSeenAt = this.#clock.now();
    let program: TlsProgram | undefined;
    const update = (name: string, change: Partial<ConsumerResource>) => {
      const before = resources.get(name);
      if (before === undefined && change.kind === undefined) return;
      lastSeenAt = this.#clock.now();
      const next = {
        name,
        kind: change.kind ?? before?.kind ?? 'svid',
        ...before,
        ...change,
        observedAt: lastSeenAt,
      };
      if (before !== undefined && same(before, next)) return;
      resources.set(name, next);
      this.#changed();
    };
    const record: ConsumerRecord = {
      id,
      kind,
      pid,
      resources: () => [...resources.values()],
      sent: (name, of, version) => update(name, { kind: of, sent: version }),
      accepted: (name, version, crls) => {
        const before = resources.get(name);
        if (before !== undefined) {
          const { nackError: _, ...rest } = before;
          resources.set(name, rest);
        }
        const earlier = acceptedCrls.get(name);
        if (crls !== undefined) acceptedCrls.set(name, crls);
        update(name, { accepted: version });
        if (crls !== earlier) this.#changed();
      },
      rejected: (name, error) => update(name, { nackError: error.slice(0, longestError) }),
      inUse: (name, { version, evidence, issuer }) => {
        update(name, {
          inUse: version,
          inUseEvidence: evidence,
          ...(issuer === undefined ? {} : { inUseIssuer: issuer }),
        });
      },
      is: (seen) => {
        program = seen;
        this.#changed();
      },
      close: () => {
        if (this.#consumers.delete(id)) this.#changed();
      },
    };
    const view = () => ({
      id,
      kind,
      resources: [...resources.values()],
      lastSeenAt,
      ...(program ? { program } : {}),
    });
    this.#consumers.set(id, { record, view, crls: () => [...acceptedCrls.values()] });
    return record;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

const compared = ['kind', 'sent', 'accepted', 'inUse', 'inUseEvidence', 'inUseIssuer', 'nackError'] as const;

function same(a: ConsumerResource, b: ConsumerResource): boolean {
  return compared.every((field) => a[field] === b[field]);
}
