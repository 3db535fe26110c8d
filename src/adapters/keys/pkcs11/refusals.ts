import { CitadelError } from '../../../kernel/index.ts';
import type { TokenFailure } from './protocol.ts';

/** Return values after which the process is given up: its sessions are gone, or the token is, or it answers nonsense. */
const lost: ReadonlySet<string> = new Set([
  'CKR_CRYPTOKI_NOT_INITIALIZED',
  'CKR_DEVICE_ERROR',
  'CKR_DEVICE_REMOVED',
  'CKR_FUNCTION_FAILED',
  'CKR_GENERAL_ERROR',
  'CKR_HOST_MEMORY',
  'CKR_SESSION_CLOSED',
  'CKR_SESSION_HANDLE_INVALID',
  'CKR_SLOT_ID_INVALID',
  'CKR_TOKEN_NOT_PRESENT',
  'CKR_TOKEN_NOT_RECOGNIZED',
  'CKR_USER_NOT_LOGGED_IN',
]);

const pin: ReadonlySet<string> = new Set([
  'CKR_PIN_EXPIRED',
  'CKR_PIN_INCORRECT',
  'CKR_PIN_INVALID',
  'CKR_PIN_LEN_RANGE',
  'CKR_PIN_LOCKED',
  'CKR_USER_PIN_NOT_INITIALIZED',
]);

const notOffered: ReadonlySet<string> = new Set([
  'CKR_CURVE_NOT_SUPPORTED',
  'CKR_DOMAIN_PARAMS_INVALID',
  'CKR_KEY_SIZE_RANGE',
  'CKR_MECHANISM_INVALID',
  'CKR_MECHANISM_PARAM_INVALID',
]);

const full: ReadonlySet<string> = new Set(['CKR_DEVICE_MEMORY', 'CKR_SESSION_COUNT']);

/** Whether another process may find the token well again. */
export function isLost(failure: TokenFailure): boolean {
  return failure.kind === 'returned' && lost.has(failure.name);
}

/** Whether the PIN itself was refused: another try with it would bring the token nearer to locking it. */
export function refusesPin(failure: TokenFailure): boolean {
  return failure.kind === 'returned' && pin.has(failure.name);
}

/** What the operator is told: what is wrong, and what to do. */
export function refusalOf(failure: TokenFailure): CitadelError {
  switch (failure.kind) {
    case 'returned':
      return returnedRefusal(failure);
    case 'noModule':
      return new CitadelError(
        'FailedPrecondition',
        'the PKCS#11 module cannot be loaded; see keys.pkcs11.module',
        {
          details: failure.text,
        },
      );
    case 'notBuilt':
      return new CitadelError(
        'FailedPrecondition',
        'the npm package pkcs11js, which loads PKCS#11 modules, is not built here: install a C++ compiler and Python, then run npm rebuild pkcs11js',
        { details: failure.text },
      );
    case 'noToken':
      return new CitadelError(
        'Unavailable',
        'the PKCS#11 token is not there: connect it, or name the right one',
        {
          details: `tokens that are there: ${failure.present.join(', ') || 'none'}`,
        },
      );
    case 'severalTokens':
      return new CitadelError(
        'FailedPrecondition',
        'several PKCS#11 tokens have this label; name one by its serial',
        {
          details: `serials: ${failure.serials.join(', ')}`,
        },
      );
    case 'pinAtRisk':
      return new CitadelError(
        'FailedPrecondition',
        failure.locked
          ? 'the PIN of the PKCS#11 token is locked: unlock it with the security officer’s PIN'
          : 'the PKCS#11 token has one try for its PIN left, which is not used up from here: log in once by hand with the right PIN, and see that Citadel is given the same',
      );
    case 'noMechanism':
      return new CitadelError(
        'InvalidArgument',
        `the PKCS#11 token ${failure.token} does not offer ${failure.mechanism} with ${failure.bits} bits; choose another key algorithm`,
      );
    case 'severalKeys':
      return new CitadelError(
        'FailedPrecondition',
        'the PKCS#11 token holds several keys of one name: find out which is the right one, and remove the others',
        { details: `label ${failure.label}` },
      );
    case 'unguardedKey':
      return new CitadelError(
        'FailedPrecondition',
        'a key on the PKCS#11 token is one that whoever reaches the token can put there without its PIN (CKA_PRIVATE is false): it is not used; find out whose it is, and remove it',
        { details: `label ${failure.label}` },
      );
    case 'noKey':
      return new CitadelError('FailedPrecondition', 'the key has been destroyed');
    case 'taken':
      return new CitadelError('AlreadyExists', 'there is a key of this id already');
    case 'broken':
      return new CitadelError('Internal', 'the PKCS#11 module cannot be used', { details: failure.text });
  }
}

function returnedRefusal({ name, call }: Extract<TokenFailure, { kind: 'returned' }>): CitadelError {
  const details = { details: `${call === '' ? 'a call' : call} returned ${name}` };
  if (pin.has(name))
    return new CitadelError(
      'FailedPrecondition',
      'the PKCS#11 token refused the PIN; it is not tried again, so that the token does not lock it: correct it and restart the server',
      details,
    );
  if (lost.has(name))
    return new CitadelError('Unavailable', 'the PKCS#11 token cannot be reached: connect it again', details);
  if (notOffered.has(name))
    return new CitadelError(
      'InvalidArgument',
      'the PKCS#11 token does not offer this key algorithm',
      details,
    );
  if (full.has(name)) return new CitadelError('ResourceExhausted', 'the PKCS#11 token is full', details);
  return new CitadelError('FailedPrecondition', 'the PKCS#11 token refused', details);
}
