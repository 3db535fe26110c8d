import { type Facts, type FieldSubject, headerOf, requestPrincipal, textsAt } from '../decide/index.ts';

/** What a request has, or lacks, that a policy can ask for; what is not known of it is named by these. */
export type RequestAttribute =
  | 'source.principal'
  | 'source.ip'
  | 'remote.ip'
  | 'destination.ip'
  | 'destination.port'
  | 'connection.sni'
  | 'request.method'
  | 'request.path'
  | 'request.query'
  | 'request.host'
  | 'request.token'
  | `request.headers[${string}]`
  | `experimental.${string}[${string}]`;

/** Of which attributes it has to be known to compare a rule's lists with a request. */
export function attributesOf(subject: FieldSubject): readonly RequestAttribute[] {
  switch (subject.kind) {
    case 'source.principal':
    case 'source.namespace':
    case 'source.serviceAccount':
    case 'source.trustDomain':
      return ['source.principal'];
    case 'claim':
    case 'request.auth.principal':
    case 'request.auth.audiences':
    case 'request.auth.presenter':
      return ['request.token'];
    case 'metadata':
      return [`experimental.${subject.filter}[${subject.name}]`];
    case 'header':
      return attributesOfHeader(subject.name);
    case 'source.ip':
    case 'remote.ip':
    case 'destination.ip':
    case 'destination.port':
    case 'connection.sni':
    case 'request.method':
    case 'request.path':
    case 'request.host':
      return [subject.kind];
  }
}

function attributesOfHeader(name: string): readonly RequestAttribute[] {
  switch (name) {
    case 'host':
    case ':authority':
      return ['request.host'];
    case ':method':
      return ['request.method'];
    case ':path':
      return ['request.path', 'request.query'];
    default:
      return [`request.headers[${name}]`];
  }
}

/** What the request has there, as it is compared; nothing where it lacks it. */
export function valuesOf(subject: FieldSubject, facts: Facts): readonly string[] {
  const { request, claims, path } = facts;
  switch (subject.kind) {
    case 'source.principal':
    case 'source.namespace':
    case 'source.serviceAccount':
    case 'source.trustDomain':
      return given(request.sourcePrincipal);
    case 'source.ip':
      return [request.sourceIp];
    case 'remote.ip':
      return [request.remoteIp];
    case 'destination.ip':
      return [request.destinationIp];
    case 'destination.port':
      return [String(request.destinationPort)];
    case 'connection.sni':
      return given(request.sni);
    case 'request.method':
      return given(request.http?.method);
    case 'request.path':
      return given(path);
    case 'request.host':
      return headerOf('host', facts);
    case 'header':
      return headerOf(subject.name, facts);
    case 'request.auth.principal':
      return given(requestPrincipal(claims));
    case 'request.auth.audiences':
      return textsAt(claims, ['aud']);
    case 'request.auth.presenter':
      return textsAt(claims, ['azp']);
    case 'claim':
      return textsAt(claims, subject.path);
    case 'metadata':
      return textsAt(request.metadata?.[subject.filter], [subject.name]);
  }
}

function given(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}
