import { accessLogTags, type NamedDenial } from '../../../domain/ports/index.ts';
import type { AccessLogCommon } from '../../../gen/envoy/data/accesslog/v3/accesslog.ts';
import { hostOf, rbacFields } from './common.ts';
import type { EntryContext } from './entry.ts';
import { printable } from './text.ts';

/** As proxies draw them. */
const idForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * What of a denied request explains it; undefined where its caller was given no name for it. Headers, tokens and queries
 * are not among it: they may hold secrets.
 */
export function namedDenial(
  common: AccessLogCommon,
  { textCharacters, readDecision }: EntryContext,
): NamedDenial | undefined {
  const { customTags: tags } = common;
  const id = tags[accessLogTags.denial] ?? '';
  if (!idForm.test(id)) return undefined;
  const text = (value: string | undefined) => printable(value, textCharacters);
  const told = {
    method: tags[accessLogTags.method],
    path: tags[accessLogTags.path]?.split('?')[0],
    host: tags[accessLogTags.host],
  };
  const parts = ['method', 'path', 'host'] as const;
  return {
    id,
    step: stepOf(tags[accessLogTags.details] ?? '', () => readDecision(rbacFields(common), true).step),
    remoteAddress: hostOf(common.downstreamRemoteAddress),
    calleeAddress: hostOf(common.downstreamLocalAddress),
    inexact: parts.filter((part) => (text(told[part]) ?? '') !== (told[part] ?? '')),
  };
}

/** Filters of policies leave no word where another filter refused. */
function stepOf(
  details: string,
  recorded: () => ReturnType<EntryContext['readDecision']>['step'],
): NamedDenial['step'] {
  if (details.startsWith('jwt_authn')) return 'token';
  if (details.startsWith('ext_authz')) return 'CUSTOM';
  const step = recorded();
  // What was refused was refused by something; the last step refuses without a word.
  return step === 'default' ? 'ALLOW' : step;
}
