import type { Claims } from '../../decide/index.ts';
import type { JwtRule, Policy } from '../../model.ts';
import { writtenText } from '../text/pieces.ts';
import { headerLists } from './carriers.ts';
import type { TokenRule } from './rules.ts';

/** A header that a proxy makes of a token that is taken; whatever came in it is thrown away before. */
export interface TokenOutput {
  /** In small letters. */
  readonly header: string;
  /** Undefined for the whole of a token. */
  readonly claim: string | undefined;
}

export function outputsOf({ outputPayloadToHeader, outputClaimToHeaders }: JwtRule): readonly TokenOutput[] {
  return [
    ...(outputPayloadToHeader === undefined
      ? []
      : [{ header: outputPayloadToHeader.toLowerCase(), claim: undefined }]),
    ...outputClaimToHeaders.map(({ header, claim }) => ({ header: header.toLowerCase(), claim })),
  ];
}

type Outputs = Pick<TokenRule, 'outputs' | 'words'>;

/** The claims of which headers are made, by header, where each rule makes it of the same. */
export function madeHeaders([first, ...others]: readonly Outputs[]): ReadonlyMap<string, string> {
  const isOfAll = ({ header, claim }: TokenOutput) =>
    others.every(({ outputs }) => claimsOf(outputs, header).join() === claim);
  return new Map(
    (first?.outputs ?? []).flatMap((output) =>
      output.claim !== undefined &&
      claimsOf(first?.outputs ?? [], output.header).length === 1 &&
      isOfAll(output)
        ? [[output.header, output.claim] as const]
        : [],
    ),
  );
}

function claimsOf(outputs: readonly TokenOutput[], header: string): readonly (string | undefined)[] {
  return outputs.filter((each) => each.header === header).map(({ claim }) => claim);
}

/** Whether what policies ask of headers that are made of tokens can be asked of the claims. */
export function asksOfTexts(rules: readonly Outputs[], policies: readonly Policy[]): boolean {
  const made = madeHeaders(rules);
  const names = new Set(rules.flatMap(({ outputs }) => outputs.map(({ header }) => header)));
  const words = new Set(rules.flatMap((rule) => rule.words));
  return headerLists(policies)
    .filter(({ name }) => names.has(name))
    .every(({ name, patterns }) => {
      const claim = made.get(name);
      return (
        claim !== undefined && !words.has(claim) && patterns.every((pattern) => isOfTexts(claim, pattern))
      );
    });
}

/** Of these there is one text, or the token is none (RFC 7519, section 4.1). */
const alwaysTexts: ReadonlySet<string> = new Set(['iss', 'sub', 'jti']);
/** Of these there is mostly something else, or they are read as words. */
const otherwise: ReadonlySet<string> = new Set(['aud', 'exp', 'nbf', 'iat', 'scope', 'permission']);

export function isAlwaysText(claim: string): boolean {
  return alwaysTexts.has(claim);
}

/** Whether a pattern matches texts alone: numbers come as digits, lists and objects as base64 of their JSON. */
function isOfTexts(claim: string, pattern: string): boolean {
  if (!/^[\x20-\x7e]+$/.test(pattern)) return false;
  if (isAlwaysText(claim)) return true;
  const text = writtenText(pattern);
  if (otherwise.has(claim) || claim.includes('.') || text === '') return false;
  if (pattern.startsWith('*')) return /[^\w+/=.-]/.test(text);
  if (/^(?:[-\d]|e(?:$|[yw3])|W(?:$|[yzw123]))/.test(text)) return false;
  return !['true', 'false'].some((word) => word.startsWith(text));
}

/** What stands in a header that is made of a claim; an empty text makes none. */
export function headerOfClaim(claims: Claims, name: string): readonly string[] {
  const value = claims[name];
  if (typeof value === 'string') return value === '' ? [] : [value];
  // Of anything else a text for which no policy asks.
  return value === undefined || value === null ? [] : ['W10='];
}
