import { assert, oneof, property, string, stringMatching } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpiffeError, TrustDomain } from '../src/index.ts';
import { type Case, expandText, expectRefusal, loadVectors, type Text } from './vectors.ts';

interface DomainCase extends Case {
  readonly text: Text;
  readonly trustDomain?: Text;
}

const isDomainCase = (value: object): value is DomainCase =>
  'text' in value && ('rule' in value || 'trustDomain' in value);

describe('trust domain', () => {
  it.each(loadVectors('trust-domain.json', isDomainCase))('$name', (each) => {
    const text = expandText(each.text);
    if (each.rule !== undefined) return expectRefusal(() => TrustDomain.parse(text), each);
    const domain = TrustDomain.parse(text);
    expect(domain.name).toBe(expandText(each.trustDomain ?? ''));
    expect(domain.id).toBe(`spiffe://${domain.name}`);
    expect(TrustDomain.parse(domain.id).equals(domain)).toBe(true);
  });

  it('accepts exactly the names of its grammar', () => {
    const text = oneof(string({ unit: 'binary' }), stringMatching(/^[a-zA-Z0-9._%:@-]{0,300}$/));
    assert(
      property(
        text.filter((candidate) => !candidate.includes('://')),
        (candidate) => {
          expect(tryParse(candidate)).toBe(
            /^[a-z0-9._-]{1,255}$/.test(candidate) && !candidate.endsWith('\n'),
          );
        },
      ),
      { numRuns: 5000 },
    );
  });
});

function tryParse(text: string): boolean {
  try {
    return TrustDomain.parse(text).name === text;
  } catch (error) {
    if (error instanceof SpiffeError) return false;
    throw error;
  }
}
