import type { DecisionRecord } from '../../ports/index.ts';
import type { Facts, FieldSubject, HttpAttributes } from '../decide/index.ts';

/** What the callee's proxy knew of a token. */
export type TokenKnowledge = 'none' | 'unknown';

/** A recorded call as rules are compared with it: what is known of it, and what is not. */
export interface RecordedFacts {
  /** One for each address that the calls came from; at least one. */
  readonly alternatives: readonly Facts[];
  readonly http: HttpAttributes;
  readonly tcp: boolean;
  /** Name of what is not known and has to be for this attribute; undefined: it is known. */
  readonly lacking: (subject: FieldSubject) => string | undefined;
}

export interface FactsContext {
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  readonly tcp: boolean;
  readonly token: TokenKnowledge;
}

/** Stands where nothing is recorded; it is never compared. */
const nothing = '';

export function recordedFacts(record: DecisionRecord, context: FactsContext): RecordedFacts {
  const { tcp, token, trustDomain, trustDomainAliases } = context;
  const path = record.path ?? nothing;
  const http: HttpAttributes = {
    method: record.method ?? nothing,
    path,
    host: record.host ?? nothing,
    headers: {},
  };
  const addresses = record.addresses.length === 0 ? [nothing] : record.addresses;
  const alternatives = addresses.map(
    (sourceIp): Facts => ({
      request: {
        ...(tcp ? {} : { http }),
        sourcePrincipal: record.caller,
        sourceIp,
        remoteIp: nothing,
        destinationIp: nothing,
        destinationPort: record.port,
        sni: record.serverName,
      },
      path: tcp ? undefined : path,
      claims: undefined,
      mesh: { trustDomain, trustDomainAliases },
    }),
  );
  return { alternatives, http, tcp, lacking: (subject) => lackingOf(subject, record, token) };
}

function lackingOf(subject: FieldSubject, record: DecisionRecord, token: TokenKnowledge): string | undefined {
  const lacks = (attribute: DecisionRecord['lacks'][number], name: string) =>
    record.lacks.includes(attribute) ? name : undefined;
  /** Of a request: what is not recorded was there all the same. */
  const ofRequest = (attribute: 'method' | 'path' | 'host') =>
    record[attribute] === undefined ? attribute : undefined;
  switch (subject.kind) {
    case 'source.principal':
    case 'source.namespace':
    case 'source.serviceAccount':
    case 'source.trustDomain':
      return lacks('caller', 'caller');
    case 'source.ip':
      return record.addresses.length === 0 ? 'source.ip' : undefined;
    case 'destination.port':
      return lacks('port', 'port');
    case 'connection.sni':
      return lacks('serverName', 'connection.sni');
    case 'request.host':
      return ofRequest('host');
    case 'request.method':
      return ofRequest('method');
    case 'request.path':
      return ofRequest('path');
    case 'header':
      return ofHeader(subject.name, ofRequest);
    case 'claim':
    case 'request.auth.principal':
    case 'request.auth.audiences':
    case 'request.auth.presenter':
      return token === 'none' ? undefined : 'token';
    case 'remote.ip':
    case 'destination.ip':
      return subject.kind;
    case 'metadata':
      return `metadata of ${subject.filter}`;
  }
}

function ofHeader(
  name: string,
  ofRequest: (attribute: 'method' | 'host') => string | undefined,
): string | undefined {
  if (name === 'host' || name === ':authority') return ofRequest('host');
  if (name === ':method') return ofRequest('method');
  // With the query, which no record has.
  return `request.headers[${name}]`;
}
