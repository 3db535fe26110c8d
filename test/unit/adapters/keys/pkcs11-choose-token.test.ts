import { describe, expect, it } from 'vitest';
import { chooseToken, type PresentToken } from '../../../../src/adapters/keys/pkcs11/choose-token.ts';
import type { TokenChoice, TokenFailure } from '../../../../src/adapters/keys/pkcs11/protocol.ts';

const token = (label: string, serial: string, flags = 0x40d): PresentToken => ({ label, serial, flags });
const label = (value: string): TokenChoice => ({ kind: 'label', value });
const serial = (value: string): TokenChoice => ({ kind: 'serial', value });

describe('chooseToken', () => {
  it.each<[string, readonly PresentToken[], TokenChoice, string]>([
    ['by its label', [token('other', '1'), token('citadel', '2')], label('citadel'), '2'],
    ['by its serial, whatever its label', [token('citadel', '1'), token('citadel', '2')], serial('2'), '2'],
    [
      'after a wrong PIN that was not the last but one',
      [token('citadel', '1', 0x1040d)],
      label('citadel'),
      '1',
    ],
  ])('takes it %s', (_how, present, choice, expected) => {
    expect(chooseToken(present, choice).serial).toBe(expected);
  });

  it.each<[string, readonly PresentToken[], TokenChoice, TokenFailure]>([
    ['none', [], label('citadel'), { kind: 'noToken', present: [] }],
    [
      'another one, or none that was initialised',
      [token('other', '1'), token('', '')],
      label('citadel'),
      { kind: 'noToken', present: ['other'] },
    ],
    [
      'two of one label',
      [token('citadel', '1'), token('citadel', '2')],
      label('citadel'),
      { kind: 'severalTokens', serials: ['1', '2'] },
    ],
    [
      'one try for the PIN left',
      [token('citadel', '1', 0x3040d)],
      label('citadel'),
      { kind: 'pinAtRisk', locked: false },
    ],
    [
      'its PIN locked',
      [token('citadel', '1', 0x4040d)],
      label('citadel'),
      { kind: 'pinAtRisk', locked: true },
    ],
  ])('refuses where there is %s', (_what, present, choice, failure) => {
    expect(() => chooseToken(present, choice)).toThrow(expect.objectContaining({ failure }));
  });
});
