import { accessLogTags, type Denial } from '../../../domain/ports/index.ts';
import type { AccessLogCommon } from '../../../gen/envoy/data/accesslog/v3/accesslog.ts';
import { hostOf, rbacFields } from './common.ts';
import type { EntryContext } from './entry.ts';
import { printable } from './text.ts';

/** As proxies draw them. */
const idForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * What of a denied request or connection explains it. Headers, tokens and queries are not among it: they may hold secrets.
 * @param unproved whether it was refused before any policy was asked
 */
export function denialOf(
  common: AccessLogCommon,
  { textCharacters, readDecision }: EntryContext,
  unproved: boolean,
): Denial {
  const { customTags: tags } = common;
  const id = tags[accessLogTags.denial] ?? '';
  const text = (value: string | undefined) => printable(value, textCharacters);
  const told = {
    method: tags[accessLogTags.method],
    path: tags[accessLogTags.path]?.split('?')[0],
    host: tags[accessLogTags.host],
  };
  const details = tags[accessLogTags.details] || common.connectionTerminationDetails;
  const parts = ['method', 'path', 'host'] as const;
  return {
    id: idForm.test(id) ? id : undefined,
    step: unproved ? 'connection' : stepOf(details, () => readDecision(rbacFields(common), true).step),
    remoteAddress: hostOf(common.downstreamRemoteAddress),
    calleeAddress: hostOf(common.downstreamLocalAddress),
    inexact: parts.filter((part) => (text(told[part]) ?? '') !== (told[part] ?? '')),
  };
}

/** Filters of policies leave no word where another filter refused. */
function stepOf(
  details: string,
  recorded: () => ReturnType<EntryContext['readDecision']>['step'],
): Denial['step'] {
  if (details.startsWith('jwt_authn')) return 'token';
  if (details.startsWith('ext_authz')) return 'CUSTOM';
  const step = recorded();
  // What was refused was refused by something; the last step refuses without a word.
  return step === 'default' ? 'ALLOW' : step;
}
