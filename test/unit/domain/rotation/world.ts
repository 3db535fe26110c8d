import { createMemoryKeyManager } from '../../../../src/adapters/keys/memory/index.ts';
import { presentChoice } from '../../../../src/app/rotation.ts';
import { createAuthorityService, establishRoot } from '../../../../src/domain/authority/index.ts';
import { type KeyManager, noMetrics, type Store } from '../../../../src/domain/ports/index.ts';
import {
  createRotationService,
  type FindGivenRoot,
  replaceEndedRoot,
} from '../../../../src/domain/rotation/index.ts';
import { CitadelError, type Clock, silentLog, systemEntropy } from '../../../../src/kernel/index.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';
import { at } from './samples.ts';

const trustDomain = 'example.org';
const lifetime = 10 * 365 * 86_400_000;
export const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'it is old' };

/** A server's authorities over a store and a key home that outlive it. */
export class World {
  now = at(0);
  readonly store: Store;
  keys: KeyManager = createMemoryKeyManager();
  readonly issuingKeys: KeyManager = createMemoryKeyManager();
  /** Counts down at each write; the one that meets zero is done, and the process is gone. */
  writesLeft = Number.POSITIVE_INFINITY;
  /** Whether the root's key home cannot be reached, or the configuration does not know it. */
  home: 'there' | 'away' | 'unknown' = 'there';
  mlDsaAuthorities = false;
  /** What the configuration names of others' roots. */
  given: FindGivenRoot | undefined;

  constructor() {
    this.store = this.#dying(memoryStore());
  }

  #dying(store: Store): Store {
    const guard = <T extends object>(target: T, writes: readonly string[]): T =>
      new Proxy(target, {
        get: (object, name, receiver) => {
          const method: unknown = Reflect.get(object, name, receiver);
          if (typeof method !== 'function' || !writes.includes(String(name))) return method;
          return async (...values: unknown[]) => {
            if (this.writesLeft <= 0) throw new Error('the process is gone');
            this.writesLeft -= 1;
            const result: unknown = await Reflect.apply(method, object, values);
            if (this.writesLeft === 0) throw new Error('the process is gone');
            return result;
          };
        },
      });
    return {
      ...store,
      authorities: guard(store.authorities, ['save', 'noteBundleContent']),
      rotations: guard(store.rotations, ['save']),
      audit: guard(store.audit, ['append']),
    };
  }

  /** What every process is given. */
  #ports() {
    const clock: Clock = {
      now: () => this.now,
      sleep: () => Promise.reject(new Error('nobody sleeps here')),
    };
    const { store, keys } = this;
    const reach = async () => {
      if (this.home === 'away') throw new CitadelError('Unavailable', 'the key home is away');
      return keys;
    };
    const keysOf = async (backend: string) =>
      this.home !== 'unknown' && backend === keys.backend ? reach() : undefined;
    const shared = { trustDomain, clock, entropy: systemEntropy, log: silentLog, audit: store.audit };
    const given: FindGivenRoot = async (from) => {
      if (this.given) return this.given(from);
      throw new CitadelError('FailedPrecondition', 'the configuration names no root to take');
    };
    return { shared, reach, keysOf, given, backdate: 3_600_000 };
  }

  /** What an operator does while no server runs. */
  async recover() {
    const { shared, reach, keysOf, given, backdate } = this.#ports();
    const defaults = { algorithm: 'ecdsa-p256', lifetime } as const;
    return replaceEndedRoot(ann, {
      ...shared,
      store: this.store,
      newKeys: reach,
      keysOf,
      given,
      backdate,
      defaults,
    });
  }

  /** A process over what there is. */
  async start() {
    const { store, issuingKeys } = this;
    const { shared, reach, keysOf, given, backdate } = this.#ports();
    const authority = createAuthorityService({
      ...shared,
      serverId: 'server-1',
      store: store.authorities,
      choice: () => presentChoice(store.rotations),
      issuingKeys,
      upstream: () =>
        establishRoot({
          ...shared,
          store: store.authorities,
          keys: reach,
          keysOf,
          root: { algorithm: 'ecdsa-p256', lifetime, backdate },
        }),
      issuing: {
        algorithm: undefined,
        lifetime: 86_400_000,
        backdate: 60_000,
        rotation: { prepareBelow: 0.5, activateBelow: 0.2 },
      },
      metrics: noMetrics,
    });
    await authority.start();
    const rotation = createRotationService({
      ...shared,
      store,
      authority,
      newKeys: reach,
      keysOf,
      homes: {
        next: this.keys.backend,
        knows: (backend) => this.home !== 'unknown' && backend === this.keys.backend,
      },
      given,
      backdate,
      defaults: { algorithm: 'ecdsa-p256', lifetime },
      leafTtl: 100_000,
      mlDsaAuthorities: this.mlDsaAuthorities,
    });
    return { authority, rotation };
  }

  async state() {
    const authorities = await this.store.authorities.list();
    const keys = await this.keys.list();
    return {
      roots: authorities
        .filter(({ kind }) => kind === 'root')
        .map(({ state }) => state)
        .toSorted(),
      keys: keys.length,
      phase: (await this.store.rotations.list(1))[0]?.phase,
    };
  }
}

export async function begun() {
  const world = new World();
  const server = await world.start();
  const { activeRoot } = await server.rotation.status();
  return { world, server, activeRoot, start: () => server.rotation.start({ ...ann, oldRoot: activeRoot }) };
}
