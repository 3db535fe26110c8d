/** Characters that a domain, in some state, takes alike, those first that read best in an example. */
export interface Group {
  readonly preferred: string;
  /** Beside these, all from here on that are not preferred, up to and with the end. */
  readonly more?: readonly [from: number, to: number];
}

/** The strings that an attribute can have at all, as a deterministic automaton. */
export interface Domain {
  readonly start: number;
  readonly groups: (state: number) => readonly Group[];
  /** Undefined where no string of the domain goes on so. */
  readonly step: (state: number, code: number) => number | undefined;
  readonly accepts: (state: number) => boolean;
  /** Of paths, which have escapes and queries; see Languages. */
  readonly isOfPaths?: true;
}

export function codesOf(text: string): readonly number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
}

const lower = 'abcdefghijklmnopqrstuvwxyz';
const upper = lower.toUpperCase();
const digits = '0123456789';
const visible = Array.from({ length: 94 }, (_, at) => String.fromCharCode(0x21 + at)).join('');

function without(text: string, left: string): string {
  return Array.from(text)
    .filter((each) => !left.includes(each))
    .join('');
}

function isIn(codes: ReadonlySet<number>): (code: number) => boolean {
  return (code) => codes.has(code);
}

/** One kind of character after another, without an order among them. */
function repeated(groups: readonly Group[], least: 0 | 1): Domain {
  const known = new Set(groups.flatMap(({ preferred }) => [...codesOf(preferred)]));
  const has = isIn(known);
  return {
    start: 0,
    groups: () => groups,
    step: (_, code) => (has(code) ? 1 : undefined),
    accepts: (state) => state >= least,
  };
}

/** RFC 9110, section 9.1: a method is a token. */
export const methods = repeated(
  [{ preferred: `${upper}${digits}-_` }, { preferred: lower }, { preferred: "!#$%&'*+.^`|~" }],
  1,
);

/** What stands before and behind a colon; a proxy takes more than a host's name may be, and an empty one. */
export const hosts = repeated(
  [
    { preferred: `${lower}${digits}${upper}-.:_[]${without(visible, `${lower}${digits}${upper}-.:_[]/?`)}` },
    { preferred: '/' },
    { preferred: '?' },
  ],
  0,
);

/** A name in small letters, as they are compared; nothing for a connection that says none. */
export const serverNames = repeated(
  [
    { preferred: `${lower}${digits}-.${without(visible, `${lower}${digits}${upper}-./?`)}` },
    { preferred: '/' },
    { preferred: '?' },
  ],
  0,
);

/** RFC 9110, section 5.5: visible characters, with blanks only between them; or nothing. */
export const headerValues: Domain = (() => {
  const opaque = Array.from({ length: 128 }, (_, at) => String.fromCharCode(0x80 + at)).join('');
  const shown: readonly Group[] = [
    { preferred: `${lower}${digits}${upper}${without(visible, `${lower}${digits}${upper}/?`)}${opaque}` },
    { preferred: '/' },
    { preferred: '?' },
  ];
  const all = [...shown, { preferred: ' \t' }];
  const isShown = isIn(new Set(shown.flatMap(({ preferred }) => [...codesOf(preferred)])));
  const [start, within, blank] = [0, 1, 2];
  return {
    start,
    groups: (state) => (state === start ? shown : all),
    step: (state, code) => {
      if (isShown(code)) return within;
      return state !== start && (code === 0x20 || code === 0x09) ? blank : undefined;
    },
    accepts: (state) => state !== blank,
  };
})();

/** Any text of Unicode, as UTF-16 has it: no half of a pair alone. */
export const texts: Domain = (() => {
  const common: readonly Group[] = [
    {
      preferred: without(`${lower}${digits}${upper}${visible}`, '/?'),
      more: [0x80, 0xd7ff],
    },
    { preferred: '/' },
    { preferred: '?' },
    { preferred: ' ' },
    { preferred: '', more: [0, 0x1f] },
    { preferred: '', more: [0xd800, 0xdbff] },
  ];
  const second: readonly Group[] = [{ preferred: '', more: [0xdc00, 0xdfff] }];
  return {
    start: 0,
    groups: (state) => (state === 0 ? common : second),
    step: (state, code) => {
      const isHigh = code >= 0xd800 && code <= 0xdbff;
      const isLow = code >= 0xdc00 && code <= 0xdfff;
      if (state === 1) return isLow ? 0 : undefined;
      if (isLow || code > 0xffff) return undefined;
      return isHigh ? 1 : 0;
    },
    accepts: (state) => state === 0,
  };
})();

/**
 * SPIFFE IDs without their scheme (SPIFFE-ID, section 2): a trust domain of small letters, digits, `.`, `-` and `_`, then
 * segments of those and of capitals, none of them empty, `.` or `..`. One at least: no leaf is of a trust domain alone
 * (X509-SVID, section 5.2), and a proxy takes none.
 */
export const spiffeNames: Domain = (() => {
  const inDomain = `${lower}${digits}-_.`;
  const inSegment = `${lower}${digits}${upper}-_`;
  const [start, trustDomain, slash, dot, dots, segment] = [0, 1, 2, 3, 4, 5];
  const domainCodes = isIn(new Set(codesOf(inDomain)));
  const segmentCodes = isIn(new Set(codesOf(inSegment)));
  const domainGroups = [{ preferred: inDomain }, { preferred: '/' }];
  const segmentGroups = [{ preferred: inSegment }, { preferred: '.' }, { preferred: '/' }];
  return {
    start,
    groups: (state) => (state === start || state === trustDomain ? domainGroups : segmentGroups),
    step: (state, code) => {
      if (state === start || state === trustDomain) {
        if (code === 0x2f) return state === start ? undefined : slash;
        return domainCodes(code) ? trustDomain : undefined;
      }
      if (code === 0x2f) return state === segment ? slash : undefined;
      if (code === 0x2e) return state === slash ? dot : state === dot ? dots : segment;
      return segmentCodes(code) ? segment : undefined;
    },
    accepts: (state) => state === segment,
  };
})();

/** A token's issuer and subject, each something, with the separator between them. */
export const tokenNames: Domain = (() => {
  // Before the issuer, within it, within a pair of UTF-16 there; and as much behind the separator.
  const isSubject = (state: number) => state >= 3;
  return {
    start: 0,
    groups: (state) => {
      const groups = texts.groups(state % 3 === 2 ? 1 : 0);
      return state === 1 ? [...groups, { preferred: '', more: [0x11_0000, 0x11_0000] }] : groups;
    },
    step: (state, code) => {
      if (code === 0x11_0000) return state === 1 ? 3 : undefined;
      const next = texts.step(state % 3 === 2 ? 1 : 0, code);
      if (next === undefined) return undefined;
      return (isSubject(state) ? 3 : 0) + (next === 1 ? 2 : 1);
    },
    accepts: (state) => state === 4,
  };
})();
