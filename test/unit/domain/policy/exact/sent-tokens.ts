import type {
  Claims,
  ClaimValue,
  PatternList,
  Policy,
  PolicyRequest,
  Region,
  Verdict,
} from '../../../../../src/domain/policy/index.ts';
import { decide } from '../../../../../src/domain/policy/index.ts';
import { request } from '../decide/policies.ts';
import { isInRegion } from './membership.ts';

/** A token as it is sent, and what a table says of the rules: nothing here is shared with the engine. */
export interface SentToken {
  readonly place: string;
  readonly signedBy: string | undefined;
  readonly claims: Claims;
  /** Headers as they are sent, `<token>` where it stands; also the one that the token is in. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

export interface Rule {
  readonly issuer?: string;
  readonly audiences?: readonly string[];
  /** As the engine tells them. */
  readonly keys: readonly string[];
  readonly places: readonly string[];
  /** Claims that are lists of words. */
  readonly words?: readonly string[];
  /** Whether the header of a token goes on with the request. */
  readonly forward?: boolean;
  /** Headers that are made of claims, in small letters; all rules of a side have the same. */
  readonly outputs?: Readonly<Record<string, string>>;
}

/** What becomes of a request with this token, or none, under rules and policies. */
export function verdictOf(
  rules: readonly Rule[],
  policies: readonly Policy[],
  token: SentToken | undefined,
  from: PolicyRequest = request(),
): Verdict {
  const looked = token === undefined ? [] : rules.filter(({ places }) => places.includes(token.place));
  const sent = withHeaders({ ...from, jwt: undefined }, rawHeaders(token));
  const outputs: Readonly<Record<string, string>> = Object.fromEntries(
    rules.flatMap((each) => Object.entries(each.outputs ?? {})),
  );
  // Authorizers are asked before.
  const isCustom = (each: Policy) => each.kind === 'AuthorizationPolicy' && each.action === 'CUSTOM';
  if (decideOf(policies.filter(isCustom), sent) === 'deny') return 'deny';
  const others = policies.filter((each) => !isCustom(each));
  const clean = (headers: Headers) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => !(name in outputs)));
  if (token === undefined || looked.length === 0)
    return decideOf(others, withHeaders({ ...from, jwt: undefined }, clean(rawHeaders(token))));
  const { iss, aud } = token.claims;
  const auds = (Array.isArray(aud) ? aud : [aud]).map((each) => plainAudience(String(each)));
  const good = looked.some(
    (rule) =>
      rule.keys.some((key) => key === token.signedBy) &&
      (rule.issuer === undefined || rule.issuer === iss) &&
      (rule.audiences === undefined ||
        (aud !== undefined && rule.audiences.map(plainAudience).some((each) => auds.includes(each)))),
  );
  const spaceDelimitedClaims = rules.flatMap(({ words = [] }) => words);
  const isKept = looked.some(({ forward = false }) => forward);
  const { [headerOf(token.place) ?? '']: _, ...rest } = rawHeaders(token);
  const made = Object.entries(outputs).flatMap(([name, claim]) => {
    const text = asHeader(token.claims[claim]);
    return text === '' ? [] : [[name, [text]] as const];
  });
  const left = { ...clean(isKept ? rawHeaders(token) : rest), ...Object.fromEntries(made) };
  const seen = withHeaders({ ...from, jwt: undefined }, left);
  return good ? decideOf(others, { ...seen, jwt: token.claims, spaceDelimitedClaims }) : 'deny';
}

/** As a proxy writes a claim into a header. */
function asHeader(value: ClaimValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? Buffer.from(JSON.stringify(value)).toString('base64') : String(value);
}

/** In small letters. */
function headerOf(place: string): string | undefined {
  return /^header (\S+)/.exec(place)?.[1];
}

type Headers = Readonly<Record<string, readonly string[]>>;

/** What is sent of headers, with a text for the token that nobody asks for. */
function rawHeaders(token: SentToken | undefined): Headers {
  if (!token) return {};
  const { place, headers = {} } = token;
  const [, name, prefix = '""'] = /^header (\S+)(?: after (".*"))?$/.exec(place) ?? [];
  const own = name === undefined ? {} : { [name]: `${String(JSON.parse(prefix))}<token>` };
  const all = Object.entries({ ...own, ...headers });
  return Object.fromEntries(
    all.map(([key, values]) => [
      key,
      [values].flat().map((each) => each.replace('<token>', 'eyJ9.eyJ9.c2ln')),
    ]),
  );
}

function withHeaders(asked: PolicyRequest, headers: Headers): PolicyRequest {
  if (!asked.http) return asked;
  return {
    ...asked,
    http: { ...asked.http, headers: { ...asked.http.headers, ...headers } },
  };
}

function plainAudience(text: string): string {
  const [, rest = text] = /^https?:\/\/(.*)$/.exec(text) ?? [];
  return rest.endsWith('/') ? rest.slice(0, -1) : rest;
}

function decideOf(policies: readonly Policy[], asked: PolicyRequest): Verdict {
  return decide(policies, asked, {
    trustDomain: 'example.org',
    trustDomainAliases: [],
    tcp: false,
    customVerdicts: new Map(),
  }).verdict;
}

/** Everything that these pieces make: strings, lists and nothing, in each place, by each key, and no token. */
export function allTokens(
  places: readonly string[],
  keys: readonly string[],
  issuers: readonly string[],
  audiences: readonly string[],
  groups: readonly ClaimValue[] = [['guests', 'staff'], 'guests'],
): readonly (SentToken | undefined)[] {
  const tokens: (SentToken | undefined)[] = [undefined];
  const auds = [
    undefined,
    ...audiences.flatMap((each) => [each, `https://${each}`, `${each}/`, [each, 'else'], `${each}x`]),
    ['a', 'b'],
  ];
  for (const place of [...places, 'header x-nobody'])
    for (const signedBy of [...keys, undefined])
      for (const iss of [undefined, ...issuers, 'https://nobody.example'])
        for (const aud of auds)
          for (const sub of [undefined, 'sue'])
            for (const some of [undefined, ...groups]) {
              const claims: Claims = {
                ...(iss !== undefined && { iss }),
                ...(aud !== undefined && { aud }),
                ...(sub !== undefined && { sub }),
                ...(some !== undefined && { groups: some }),
              };
              tokens.push({ place, signedBy, claims });
            }
  return tokens;
}

/** Whether a region holds such a request, by what each list says of the token as it is sent. */
export function isTokenIn({ constraints }: Region, token: SentToken | undefined): boolean {
  const headers = rawHeaders(token);
  const asked = withHeaders(request({}, { jwt: token?.claims }), headers);
  const asWords = / as words$/;
  const asText = / as one text$/;
  return constraints.every(({ attribute, alternatives, ...rest }) => {
    const of = (list: PatternList): boolean => {
      switch (list.field) {
        case 'tokenPlace':
          return list.patterns.includes(token?.place ?? '');
        case 'tokenKey':
          return list.patterns.includes(token?.signedBy ?? '');
        case 'issuer':
          return list.patterns.some((issuer) => issuer === token?.claims['iss']);
        case 'audiences': {
          const aud = token?.claims['aud'];
          const all = Array.isArray(aud) ? aud : aud === undefined ? [] : [aud];
          return all.some((each) => list.patterns.map(plainAudience).includes(plainAudience(String(each))));
        }
        case 'holdsToken':
          return (
            attribute.kind === 'header' &&
            list.patterns.some(
              (prefix) => headers[attribute.name]?.some((value) => value.includes(prefix)) === true,
            )
          );
        case 'present':
          if (attribute.kind === 'tokenPlace')
            return token !== undefined && token.place !== 'header x-nobody';
          if (attribute.kind === 'tokenKey') return token?.signedBy !== undefined;
          break;
        default:
          break;
      }
      if (asText.test(list.field) && attribute.kind === 'claim')
        return (
          typeof token?.claims[attribute.path[0] ?? ''] === 'string' &&
          isTokenIn(
            {
              constraints: [
                {
                  attribute,
                  ...rest,
                  alternatives: [
                    { matches: [{ ...list, field: list.field.replace(asText, '') }], except: [] },
                  ],
                },
              ],
            },
            token,
          )
        );
      const plain = { ...list, field: list.field.replace(asWords, '') };
      const alone = { attribute, ...rest, alternatives: [{ matches: [plain], except: [] }] };
      const spaceDelimitedClaims =
        asWords.test(list.field) && attribute.kind === 'claim' ? attribute.path : [];
      return isInRegion({ constraints: [alone] }, { ...asked, spaceDelimitedClaims }, {});
    };
    return alternatives.some(({ matches, except }) => matches.every(of) && !except.some(of));
  });
}
