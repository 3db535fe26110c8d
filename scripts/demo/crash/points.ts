import { writeSync } from 'node:fs';
import type { AppOverrides } from '../../../src/app/index.ts';
import type { Store } from '../../../src/domain/ports/index.ts';

type Homes = Parameters<NonNullable<AppOverrides['homes']>>[0];
type Keys = Homes['issuing'];
/** `change`: writes nothing where it is told what it was told the last time, as each look at what is due does. */
type Kind = 'read' | 'write' | 'change';
/** All that a port has, so that what is added to it is counted, or said to write nothing. */
type Kinds<T> = Readonly<Record<keyof T, Kind>>;

const authorities: Kinds<Store['authorities']> = {
  list: 'read',
  save: 'write',
  bundleSequence: 'read',
  noteBundleContent: 'change',
  bundleContents: 'read',
};
const rotations: Kinds<Store['rotations']> = { current: 'read', save: 'write', list: 'read' };
const audit: Kinds<Store['audit']> = {
  append: 'write',
  find: 'read',
  head: 'read',
  rootAt: 'read',
  inclusion: 'read',
  findIssued: 'read',
  entries: 'read',
};
const revocations: Kinds<Store['revocations']> = {
  revokeCertificates: 'write',
  revokeAuthority: 'write',
  certificates: 'read',
  authorities: 'read',
  saveCrl: 'write',
  crls: 'read',
  forgetCertificates: 'write',
  forgetAuthorities: 'write',
};
const keys: Kinds<Keys> = {
  backend: 'read',
  algorithms: 'read',
  generate: 'write',
  import: 'write',
  get: 'read',
  list: 'read',
  destroy: 'write',
  check: 'read',
  close: 'read',
};

/** The points at which a server may die: before each thing that it writes, and after it. */
export class Points {
  /** What is written at other times is no point. */
  counting = false;
  passed = 0;
  readonly #killAt: number | string;

  /** @param killAt the number of a point, from 1, or its name; 0: none */
  constructor(killAt: number | string) {
    this.#killAt = killAt;
  }

  #pass(name: string): void {
    if (!this.counting) return;
    this.passed += 1;
    if (this.passed !== this.#killAt && name !== this.#killAt) return;
    writeSync(1, name);
    process.kill(process.pid, 'SIGKILL');
  }

  #watch<T extends object>(port: string, target: T, kinds: Kinds<T>): T {
    const kindOf = new Map<PropertyKey, unknown>(Object.entries(kinds));
    const told = new Map<PropertyKey, string>();
    const isWrite = (name: PropertyKey, values: readonly unknown[]) => {
      if (kindOf.get(name) !== 'change') return kindOf.get(name) === 'write';
      const text = JSON.stringify(values);
      const isSame = told.get(name) === text;
      told.set(name, text);
      return !isSame;
    };
    return new Proxy(target, {
      get: (object, name) => {
        const method: unknown = Reflect.get(object, name);
        if (typeof method !== 'function') return method;
        if (kindOf.get(name) === 'read')
          return (...values: unknown[]): unknown => Reflect.apply(method, object, values);
        return async (...values: unknown[]): Promise<unknown> => {
          const counts = isWrite(name, values);
          if (counts) this.#pass(`before ${port}.${String(name)}`);
          const result: unknown = await Reflect.apply(method, object, values);
          if (counts) this.#pass(`after ${port}.${String(name)}`);
          return result;
        };
      },
    });
  }

  store(opened: Store): Store {
    return {
      ...opened,
      authorities: this.#watch('authorities', opened.authorities, authorities),
      rotations: this.#watch('rotations', opened.rotations, rotations),
      revocations: this.#watch('revocations', opened.revocations, revocations),
      audit: this.#watch('audit', opened.audit, audit),
    };
  }

  homes(opened: Homes): Homes {
    const watched = (home: Keys) => this.#watch('rootKeys', home, keys);
    return {
      ...opened,
      issuing: this.#watch('issuingKeys', opened.issuing, keys),
      root: async () => watched(await opened.root()),
      async rootOf(backend) {
        const home = await opened.rootOf(backend);
        return home && watched(home);
      },
    };
  }
}
