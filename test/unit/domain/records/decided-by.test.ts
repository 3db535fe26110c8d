import { describe, expect, it } from 'vitest';
import { decisionMarker } from '../../../../src/adapters/envoy/index.ts';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import type { Policy } from '../../../../src/domain/policy/index.ts';
import type { AccessLogEntry, Denial } from '../../../../src/domain/ports/index.ts';
import { decidingRules } from '../../../../src/domain/records/decided-by.ts';
import { decisionsIn, rulesVersions } from '../../../../src/domain/records/index.ts';
import { entry } from '../evidence/samples.ts';
import { content, settings, workload } from '../mesh/samples.ts';
import { policy } from '../policy/mesh.ts';

const orders = workload('orders');
const marksOf = decisionMarker(settings);
const at = (path: string) => [{ to: [{ operation: { paths: [path] } }] }];
const deny = (path: string, generation = 1): Policy => {
  const made = policy('shop/no', { action: 'DENY', rules: at(path) });
  return { ...made, meta: { ...made.meta, generation } };
};
const allow = (path: string): Policy => policy('shop/yes', { rules: at(path) });

function told(
  policies: readonly Policy[],
  step?: Denial['step'],
  layer: 'http' | 'network' = 'http',
): AccessLogEntry {
  const denial = step && { id: 'd', step, remoteAddress: undefined, calleeAddress: undefined, inexact: [] };
  const denied = denial ? ({ decision: 'denied', denial } as const) : {};
  const by = step === 'DENY' ? { policy: 'shop/no', rule: 0 } : {};
  return entry({ workload: orders.id, ...denied, ...by, marks: marksOf(policies, layer) });
}

describe('by which rules a proxy says that it decided', () => {
  const rules = (...given: Parameters<typeof told>) => decidingRules(told(...given));

  it('is the same exactly where the rules are that it came to', () => {
    const [one, otherAllow, otherDeny] = [
      [deny('/a'), allow('/x')],
      [deny('/a'), allow('/y')],
      [deny('/b'), allow('/x')],
    ] as const;
    expect(rules(one, 'DENY')).toBe(rules([deny('/a', 7), allow('/x')], 'DENY'));
    expect(rules(one, 'DENY')).toBe(rules(otherAllow, 'DENY'));
    expect(rules(one, 'DENY')).not.toBe(rules(otherDeny, 'DENY'));
    expect(rules(one, 'ALLOW')).not.toBe(rules(otherAllow, 'ALLOW'));
    expect(rules(one)).not.toBe(rules(otherDeny));
    expect(rules(one)).toBe(rules(one, 'ALLOW'));
    expect(rules(one)).not.toBe(rules(one, undefined, 'network'));
  });

  it.each(['token', 'CUSTOM', 'connection'] as const)('is not known of a denial by %s', (step) => {
    expect(rules([deny('/a')], step)).toBeUndefined();
  });

  it('is not known where it does not tell, or has rules without a mark, or was refused before', () => {
    const denied = told([deny('/a')], 'DENY');
    expect(decidingRules({ ...denied, marks: undefined })).toBeUndefined();
    expect(decidingRules({ ...denied, marks: { ...marksOf([], 'http'), deny: '' } })).toBeUndefined();
    expect(decidingRules({ ...denied, unproved: true })).toBeUndefined();
    expect(decidingRules({ ...denied, decision: 'unserved' })).toBeUndefined();
  });

  it('is among what the policies may be recorded as, and not among what others may', () => {
    const versions = rulesVersions(marksOf);
    for (const step of ['DENY', 'ALLOW', undefined] as const)
      for (const layer of ['http', 'network'] as const) {
        const version = rules([deny('/a'), allow('/x')], step, layer) ?? '';
        expect(versions([deny('/a'), allow('/x')]).has(version)).toBe(true);
        if (layer === 'http') expect(versions([deny('/b'), allow('/x')]).has(version)).toBe(false);
      }
  });
});

describe('the revision of the policy that decided', () => {
  function mesh() {
    let listener = () => {};
    let snapshot = composeSnapshot(settings, [content([orders], [], [])]);
    return {
      snapshot: () => snapshot,
      onProgress: (given: () => void) => {
        listener = given;
        return () => {};
      },
      hold: (...policies: readonly Policy[]) => {
        snapshot = composeSnapshot(settings, [content([orders], [], policies)]);
        listener();
      },
    };
  }

  it('is that of the rules that the proxy had, also when others hold by now', () => {
    const held = mesh();
    const decidedBy = decisionsIn(held, marksOf);
    held.hold(deny('/a', 12));
    held.hold(deny('/b', 14));
    expect(decidedBy(told([deny('/a')], 'DENY'))?.revision).toBe(12);
    expect(decidedBy(told([deny('/b')], 'DENY'))?.revision).toBe(14);
  });

  it('is not said where nobody can know it', () => {
    const held = mesh();
    const decidedBy = decisionsIn(held, marksOf);
    held.hold(deny('/a', 12));
    expect(decidedBy(told([deny('/never')], 'DENY'))).toEqual({
      rules: expect.stringMatching(/^[0-9a-f]{16}$/),
      revision: undefined,
    });
    // Twice the same rules, under another number.
    held.hold(deny('/b', 13));
    held.hold(deny('/a', 14));
    expect(decidedBy(told([deny('/a')], 'DENY'))?.revision).toBeUndefined();
    expect(decidedBy(told([deny('/a')], 'token'))).toBeUndefined();
  });

  it('is looked up in the last states of the policies alone', () => {
    const held = mesh();
    const decidedBy = decisionsIn(held, marksOf);
    held.hold(deny('/a', 1));
    for (let revision = 2; revision < 10; revision += 1) held.hold(deny(`/${revision}`, revision));
    expect(decidedBy(told([deny('/a')], 'DENY'))?.revision).toBeUndefined();
    expect(decidedBy(told([deny('/2')], 'DENY'))?.revision).toBe(2);
  });
});
