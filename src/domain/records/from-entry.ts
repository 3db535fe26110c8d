import { anyOtherPort } from '../mesh/index.ts';
import { normalizePath } from '../policy/index.ts';
import type { AccessLogEntry, RecordedAttribute, RefusedBy } from '../ports/index.ts';
import type { DecisionIdentity } from './identity.ts';

/** Characters; longer ones are not kept. The reader of access logs cuts what is longer still. */
const longest = { method: 32, path: 512, host: 255, serverName: 255 } as const;

/** What is put in place of characters that cannot be shown. */
const replaced = '\uFFFD';

/**
 * What one entry tells, or undefined where it is no decision: that no application took a call is not the policies' doing.
 * A text that has been cut or mended is not what a policy was compared with, and is left out and named in `lacks`; so is a
 * host with a user before it, which may hold a password.
 * @param rules by which it was decided; see DecidedBy
 * @param declared the ports of the workload; all others are one, for a caller can name any
 */
export function identityOfEntry(
  entry: AccessLogEntry,
  declared: ReadonlySet<number>,
  period: Date,
  rules?: string,
): DecisionIdentity | undefined {
  if (entry.decision === 'unserved') return undefined;
  const lacks: RecordedAttribute[] = [];
  const whole = (name: keyof typeof longest): string | undefined => {
    const value = entry[name];
    if (value === undefined) return undefined;
    if (value.length <= longest[name] && !value.includes(replaced) && isKept(name, value)) return value;
    lacks.push(name);
    return undefined;
  };
  // What the proxy passes on without ending it shows no name in its log.
  if (entry.transport === 'other-tls' && entry.serverName === undefined) lacks.push('serverName');
  const isDeclared = declared.has(entry.port);
  if (!isDeclared) lacks.push('port');
  const texts = {
    method: whole('method'),
    path: whole('path'),
    host: whole('host'),
    serverName: whole('serverName'),
  };
  return {
    workload: entry.workload,
    period,
    port: isDeclared ? entry.port : anyOtherPort,
    transport: entry.transport,
    caller: entry.callerId,
    ...texts,
    decision: entry.decision,
    refusedBy: entry.decision === 'denied' ? refusedBy(entry) : undefined,
    policy: entry.policy,
    rule: entry.rule,
    ...(rules === undefined ? {} : { rules }),
    sampled: entry.sampled,
    lacks,
  };
}

/** A path that is not in the form that policies compare was answered before any was asked. */
function isKept(name: keyof typeof longest, value: string): boolean {
  if (name === 'path') return normalizePath(value) === value;
  return name !== 'host' || !value.includes('@');
}

function refusedBy({ unproved, reason = '' }: AccessLogEntry): RefusedBy {
  if (unproved) return 'connection';
  if (reason.startsWith('jwt_authn')) return 'token';
  return reason.startsWith('ext_authz') ? 'authorizer' : 'policies';
}
