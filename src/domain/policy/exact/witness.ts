import type { Workload } from '../../mesh/index.ts';
import {
  type Claims,
  type ClaimValue,
  normalizeHost,
  type PolicyRequest,
  type Verdict,
} from '../decide/index.ts';
import type { Attribute, Witness, WitnessToken } from './model.ts';
import type { Place } from './outcome.ts';
import type { Sample } from './spaces/space.ts';
import { type Carrier, tokenMark } from './tokens/carriers.ts';
import { placeText } from './tokens/rules.ts';

/** Of each attribute that was answered, a value. */
export type Samples = readonly (readonly [attribute: Attribute, sample: Sample])[];

/** What the attributes are that nothing hangs on. */
export interface Defaults {
  readonly workload: Pick<Workload, 'addresses'>;
  readonly port: number;
  readonly protocol: Place['protocol'];
  readonly source: string;
  readonly host: string;
  readonly address: string;
  /** Headers for tokens at which policies look. */
  readonly carriers?: readonly Carrier[];
  /** Claims of which headers are made, so that a list is another thing than a text. */
  readonly madeOf?: ReadonlySet<string>;
  /** Claims are those of a token that is sent, and of none where there is none. */
  readonly tokensAreSent?: boolean;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A request that has these values, and what else a request must have. */
export function witnessOf(samples: Samples, defaults: Defaults): Witness {
  const { workload, port, protocol, source, host, address } = defaults;
  const http = { method: 'GET', path: '/', host, headers: {} as Record<string, readonly string[]> };
  const request: Writable<PolicyRequest> = {
    sourcePrincipal: `spiffe://${source}`,
    sourceIp: address,
    remoteIp: address,
    destinationIp: workload.addresses[0] ?? address,
    destinationPort: port,
  };
  const claims: Claim[] = [];
  const isSplit = (each: string) => defaults.tokensAreSent === true && each.includes(' ');
  const isMade = ([name = '', ...more]: readonly string[]) =>
    more.length === 0 && defaults.madeOf?.has(name) === true;
  const metadata: Record<string, Record<string, ClaimValue>> = {};
  const providers: Record<string, Verdict> = {};
  const ofConnection: Record<string, Verdict> = {};
  let client: string | undefined;
  let tokenPlace: string | undefined;
  let tokenKey: string | undefined;
  for (const [attribute, sample] of samples) {
    const text = sample?.kind === 'text' ? sample.text : undefined;
    switch (attribute.kind) {
      case 'source':
        request.sourcePrincipal = text === undefined ? undefined : `spiffe://${text}`;
        break;
      case 'method':
        http.method = text ?? http.method;
        break;
      case 'host':
        http.host = hostAsSent(text ?? http.host);
        break;
      case 'path':
        http.path = text ?? http.path;
        break;
      case 'sni':
        request.sni = text === '' ? undefined : text;
        break;
      case 'header': {
        const values = textsOf(sample);
        if (values.length > 0) http.headers[attribute.name] = values;
        break;
      }
      case 'claim':
        if (sample?.kind === 'list')
          claims.push({
            path: attribute.path,
            texts: sample.texts,
            asList: sample.texts.some(isSplit) || isMade(attribute.path),
          });
        if (text !== undefined) claims.push({ path: attribute.path, texts: [text] });
        break;
      case 'token':
        if (sample?.kind === 'token') claims.push(...namesOf(sample));
        break;
      case 'tokenPlace':
        tokenPlace = text;
        break;
      case 'tokenKey':
        tokenKey = text;
        break;
      case 'metadata': {
        const value: ClaimValue | undefined = sample?.kind === 'list' ? sample.texts : text;
        if (value !== undefined)
          metadata[attribute.filter] = { ...metadata[attribute.filter], [attribute.name]: value };
        break;
      }
      case 'sourceIp':
        request.sourceIp = text ?? request.sourceIp;
        break;
      case 'remoteIp':
        client = text;
        break;
      case 'destinationIp':
        request.destinationIp = text ?? request.destinationIp;
        break;
      case 'provider':
        if (sample?.kind === 'verdict')
          (attribute.about === undefined ? providers : ofConnection)[attribute.name] = sample.allows
            ? 'allow'
            : 'deny';
        break;
    }
  }
  for (const carrier of defaults.carriers ?? [])
    if (tokenKey !== undefined && tokenPlace === placeText(carrier.place)) markToken(http.headers, carrier);
  const jwt = claims.length > 0 ? claimsOf(claims) : undefined;
  const token: WitnessToken | undefined =
    tokenPlace === undefined ? undefined : { place: tokenPlace, signedBy: tokenKey, claims: jwt ?? {} };
  return {
    request: {
      ...request,
      remoteIp: client ?? request.sourceIp,
      ...(protocol === 'http' ? { http } : {}),
      ...(jwt && !defaults.tokensAreSent ? { jwt } : {}),
      ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    },
    providers,
    ...(Object.keys(ofConnection).length > 0 && { ofConnection }),
    ...(token && { token }),
  };
}

/** A good token takes all that follows what stands before it, and nobody knows its text. */
function markToken(headers: Record<string, readonly string[]>, { name, prefix }: Carrier): void {
  const values = headers[name];
  const at = values?.findIndex((value) => value.includes(prefix)) ?? -1;
  const value = values?.[at];
  if (!values || value === undefined) return;
  const marked = `${value.slice(0, value.indexOf(prefix) + prefix.length)}${tokenMark}`;
  headers[name] = values.with(at, marked);
}

function textsOf(sample: Sample): readonly string[] {
  if (sample?.kind === 'text') return [sample.text];
  return sample?.kind === 'list' ? sample.texts : [];
}

interface Claim {
  readonly path: readonly string[];
  readonly texts: readonly string[];
  /** A list even where one text is all that it holds. */
  readonly asList?: boolean;
}

/** Two strings would be a name: without one, what both hold is in lists. */
function namesOf({ named, issuer, subject }: Extract<Sample, { kind: 'token' }>): readonly Claim[] {
  const asList = !named && issuer.length > 0 && subject.length > 0;
  return [
    { path: ['iss'], texts: issuer, asList },
    { path: ['sub'], texts: subject, asList },
  ].filter(({ texts }) => texts.length > 0);
}

/** Of these a string would be read as words. */
const wordLists = new Set(['scope', 'permission']);

function claimsOf(claims: readonly Claim[]): Claims {
  const root = new Map<string, unknown>();
  for (const { path, texts, asList = false } of claims) {
    const [last = ''] = path.slice(-1);
    let at = root;
    for (const name of path.slice(0, -1)) {
      const known = at.get(name);
      const inner: Map<string, unknown> = known instanceof Map ? known : new Map<string, unknown>();
      at.set(name, inner);
      at = inner;
    }
    const isWords = path.length === 1 && wordLists.has(last);
    at.set(last, texts.length === 1 && !asList && !isWords ? texts[0] : texts);
  }
  const made = (value: ReadonlyMap<string, unknown>): object =>
    Object.fromEntries([...value].map(([name, own]) => [name, own instanceof Map ? made(own) : own]));
  // Maps, strings and lists of strings alone were put in.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return made(root) as Claims;
}

/** What has to be sent so that a host is compared in this form: the last dot that ends a name is taken off. */
function hostAsSent(host: string): string {
  if (normalizeHost(host) === host) return host;
  const dot = host.lastIndexOf('.');
  return `${host.slice(0, dot)}.${host.slice(dot)}`;
}
