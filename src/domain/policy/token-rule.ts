import type { JwtRule } from './model.ts';

/** Whether a rule is for tokens of the issuer; what a token says as `iss`, of which it may say nothing. */
export function isOfIssuer({ issuer }: Pick<JwtRule, 'issuer'>, came: readonly string[]): boolean {
  return issuer === undefined || came.includes(issuer);
}

/** Whether a token that says `aud` is meant for here: by one of the rule's audiences, where it has any. */
export function isForAudience({ audiences }: Pick<JwtRule, 'audiences'>, came: readonly string[]): boolean {
  return audiences.length === 0 || audiences.some((each) => came.map(bare).includes(bare(each)));
}

/** All that an audience may be written as in a token, to be the same as this one. */
export function writtenAudiences(audience: string): readonly string[] {
  const meant = bare(audience);
  return ['', 'https://', 'http://']
    .flatMap((scheme) => [`${scheme}${meant}`, `${scheme}${meant}/`])
    .filter((text) => bare(text) === meant);
}

/** As Envoy compares audiences: with or without the scheme, and a slash at the end. */
function bare(audience: string): string {
  return audience.replace(/^https?:\/\//, '').replace(/\/$/, '');
}
