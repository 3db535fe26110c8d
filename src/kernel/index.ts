export { type Address, parseAddress } from './address.ts';
export { type BackoffOptions, backoffDelay } from './backoff.ts';
export { readAtMost } from './bounded.ts';
export { type Clock, systemClock } from './clock.ts';
export { formatDuration, formatInstant, parseDuration } from './duration.ts';
export { type Entropy, systemEntropy } from './entropy.ts';
export {
  CitadelError,
  describeError,
  type ErrorCode,
  errorCodes,
  isCitadelError,
  isRetryable,
  toCitadelError,
} from './errors.ts';
export { connectionFault } from './grpc-details.ts';
export { inTurn } from './in-turn.ts';
export { Limiter } from './limiter.ts';
export { compareText, sameMembers } from './lists.ts';
export { type Log, type LogFields, silentLog } from './log.ts';
export { once } from './once.ts';
export { type Repetition, repeatedly } from './repeatedly.ts';
export { Secret } from './secret.ts';
export { byContent, identityOf, Shared, sharedLists } from './shared.ts';
export { systemErrorCode } from './system-error.ts';
export { readTextFile, standardInput, unreadable } from './text-file.ts';
export { version } from './version.ts';
