import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Push } from '../../../../../src/api/grpc/ads/push.ts';
import {
  clusterType,
  endpointType,
  extensionType,
  listenerType,
  secretType,
} from '../../../../../src/api/grpc/ads/types.ts';
import { resource } from '../../../../fakes/discovery-source.ts';
import { Driver } from './driver.ts';

const names = ['a', 'b', 'c', 'd', 'e'];
const types = [clusterType, endpointType, listenerType, extensionType];
const wholes = new Set([clusterType, listenerType]);

const content = fc.dictionary(fc.constantFrom(...names), fc.constantFrom('1', '2', '3', 'bad', 'bad2'));
const step = fc.oneof(
  fc.record({ kind: fc.constant('serve'), typeUrl: fc.constantFrom(...types), content }),
  fc.record({
    kind: fc.constant('subscribe'),
    typeUrl: fc.constantFrom(...types),
    names: fc.uniqueArray(fc.constantFrom(...names)),
  }),
  fc.record({ kind: fc.constant('push') }),
  fc.record({ kind: fc.constant('answer') }),
  fc.record({ kind: fc.constant('wait') }),
  fc.record({ kind: fc.constant('reconnect'), reached: fc.boolean() }),
);

/**
 * A client that refuses a whole response for one broken resource in it, and keeps what it had. Of extensions it keeps what
 * came last, refused or not, and takes that for what it has when it comes again; it stops at the first that is broken.
 */
class Client {
  readonly has = new Map(types.map((typeUrl) => [typeUrl, new Map<string, string>()]));
  readonly wanted = new Map(types.map((typeUrl) => [typeUrl, new Set<string>()]));
  readonly wildcard = new Set<string>();
  readonly unanswered: Push[] = [];
  readonly #cameLast = new Map<string, string>();
  readonly #variant: 'sotw' | 'delta';

  constructor(variant: 'sotw' | 'delta') {
    this.#variant = variant;
  }

  of(typeUrl: string) {
    return {
      has: this.has.get(typeUrl) ?? new Map<string, string>(),
      wanted: this.wanted.get(typeUrl) ?? new Set(),
    };
  }

  wants(typeUrl: string, name: string): boolean {
    return this.wildcard.has(typeUrl) || this.of(typeUrl).wanted.has(name);
  }

  /** @returns whether it accepts */
  take({ typeUrl, resources, removed }: Push): boolean {
    const { has } = this.of(typeUrl);
    const texts = resources.map(({ name, value }) => [name, Buffer.from(value).toString()] as const);
    if (typeUrl === extensionType) return this.#takeExtensions(texts, removed);
    if (texts.some(([, text]) => text.startsWith('bad'))) return false;
    if (this.#variant === 'delta') for (const name of removed) has.delete(name);
    if (this.#variant === 'sotw' && wholes.has(typeUrl)) has.clear();
    for (const [name, text] of texts) if (this.wants(typeUrl, name)) has.set(name, text);
    return true;
  }

  #takeExtensions(texts: readonly (readonly [string, string])[], removed: readonly string[]): boolean {
    const { has } = this.of(extensionType);
    for (const name of removed) {
      has.delete(name);
      this.#cameLast.delete(name);
    }
    for (const [name, text] of texts) {
      if (!this.wants(extensionType, name) || this.#cameLast.get(name) === text) continue;
      this.#cameLast.set(name, text);
      if (text.startsWith('bad')) return false;
      has.set(name, text);
    }
    return true;
  }

  unsubscribe(typeUrl: string, name: string): void {
    this.of(typeUrl).has.delete(name);
    if (typeUrl === extensionType) this.#cameLast.delete(name);
  }
}

describe.each(['sotw', 'delta'] as const)('whatever happens in whatever order, %s', (variant) => {
  it('a client ends with what there is for it, but for what it refuses', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, wildcard) => {
        const driver = new Driver(variant, {}, { removalWait: 1000, orderWait: 100 });
        const client = new Client(variant);
        const served = new Map<string, Readonly<Record<string, string>>>();
        const namesOf = (typeUrl: string) => [
          ...(client.wildcard.has(typeUrl) && client.of(typeUrl).wanted.size > 0 ? ['*'] : []),
          ...client.of(typeUrl).wanted,
        ];
        const lastNonce = new Map<string, string>();
        const accepted = new Map<string, string>();
        if (wildcard) {
          for (const typeUrl of wholes) {
            client.wildcard.add(typeUrl);
            driver.ask(typeUrl);
          }
        }
        const subscribe = (typeUrl: string, wanted: readonly string[]) => {
          const { wanted: before } = client.of(typeUrl);
          if (client.wildcard.has(typeUrl)) return;
          const added = wanted.filter((name) => !before.has(name));
          const dropped = [...before].filter((name) => !wanted.includes(name));
          if (added.length + dropped.length === 0) return;
          client.wanted.set(typeUrl, new Set(wanted));
          for (const name of dropped) client.unsubscribe(typeUrl, name);
          driver.ask(typeUrl, {
            nonce: variant === 'sotw' ? (lastNonce.get(typeUrl) ?? '') : '',
            names: wanted,
            subscribe: added,
            unsubscribe: dropped,
          });
        };
        const push = () => {
          const next = driver.next();
          if (next) client.unanswered.push(next);
          return next !== undefined;
        };
        const answer = () => {
          const next = client.unanswered.shift();
          if (!next) return false;
          // A client of the whole that asked for others meanwhile answers with its new names.
          lastNonce.set(next.typeUrl, next.nonce);
          const accepts = client.take(next);
          if (accepts) accepted.set(next.typeUrl, next.version);
          const answered = driver.answer(next, {
            names: namesOf(next.typeUrl),
            ...(accepts ? {} : { error: 'one of them is bad' }),
          });
          const believed = answered?.answers.filter(({ error }) => error === undefined) ?? [];
          // One of the whole cannot be told to forget what it refused and had nothing before.
          for (const { name, value } of variant === 'delta' ? next.resources : [])
            if (client.wants(next.typeUrl, name) && Buffer.from(value).toString().startsWith('bad'))
              expect(believed.some(({ resources }) => resources.has(name))).toBe(false);
          return true;
        };
        const reconnect = (reached: boolean) => {
          // What was sent came to the client, and its answer to nobody; or not even that.
          for (const next of reached ? client.unanswered : [])
            if (client.take(next)) accepted.set(next.typeUrl, next.version);
          client.unanswered.length = 0;
          lastNonce.clear();
          driver.reconnect();
          // Whoever has filters to ask for has listeners: something that it brings.
          driver.ask(secretType, { version: '1', initial: new Map([['own', '1']]) });
          for (const typeUrl of types) {
            const { has, wanted } = client.of(typeUrl);
            if (!client.wildcard.has(typeUrl) && wanted.size === 0) continue;
            const initial = new Map([...has].map(([name, text]) => [name, resource(name, text).version]));
            driver.ask(typeUrl, {
              names: namesOf(typeUrl),
              version: accepted.get(typeUrl) ?? '',
              subscribe: namesOf(typeUrl),
              initial,
            });
          }
        };
        for (const each of steps) {
          if (each.kind === 'serve' && 'content' in each) {
            served.set(each.typeUrl, each.content);
            driver.serve({ [each.typeUrl]: each.content });
          } else if (each.kind === 'subscribe' && 'names' in each) subscribe(each.typeUrl, each.names);
          else if (each.kind === 'push') push();
          else if (each.kind === 'answer') answer();
          else if (each.kind === 'reconnect' && 'reached' in each) reconnect(each.reached);
          else driver.now += 60;
        }
        for (let rounds = 0; push() || answer() || driver.now < 100_000; rounds += 1) {
          expect(rounds).toBeLessThan(2000);
          if (client.unanswered.length === 0) driver.now += 500;
        }
        for (const typeUrl of types) {
          const { has } = client.of(typeUrl);
          const there = served.get(typeUrl) ?? {};
          for (const [name, text] of Object.entries(there)) {
            if (!client.wants(typeUrl, name)) continue;
            if (text.startsWith('bad')) expect(has.get(name) ?? '').not.toMatch(/^bad/);
            else expect([typeUrl, name, has.get(name)]).toEqual([typeUrl, name, text]);
          }
          const extra = [...has.keys()].filter((name) => !Object.hasOwn(there, name));
          if (variant === 'delta' || wholes.has(typeUrl)) {
            if (client.wildcard.has(typeUrl) || variant === 'delta') expect(extra).toEqual([]);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
