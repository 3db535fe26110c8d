/** Every rule this library enforces, and where it is written. A vector names a rule; an error carries its section. */
const sections = {
  'id-type': 'SPIFFE-ID 2',
  'id-scheme': 'SPIFFE-ID 2',
  'id-query': 'SPIFFE-ID 2',
  'id-fragment': 'SPIFFE-ID 2',
  'id-length': 'SPIFFE-ID 2.3',
  'trust-domain-empty': 'SPIFFE-ID 2.1',
  'trust-domain-userinfo': 'SPIFFE-ID 2.1',
  'trust-domain-port': 'SPIFFE-ID 2.1',
  'trust-domain-case': 'SPIFFE-ID 2.1',
  'trust-domain-charset': 'SPIFFE-ID 2.1',
  'trust-domain-percent': 'SPIFFE-ID 2.1',
  'trust-domain-length': 'SPIFFE-ID 2.3',
  'path-percent': 'SPIFFE-ID 2.2',
  'path-empty-segment': 'SPIFFE-ID 2.2',
  'path-dot-segment': 'SPIFFE-ID 2.2',
  'path-trailing-slash': 'SPIFFE-ID 2.2',
  'path-charset': 'SPIFFE-ID 2.2',
  'workload-namespace': 'RFC 1123 2.1',
  'workload-service-account': 'RFC 1123 2.1',

  pem: 'RFC 7468 2',
  'pem-label': 'RFC 7468 5.1',
  der: 'X.690 10.1',
  certificate: 'RFC 5280 4.1',
  'certificate-extension': 'RFC 5280 4.2',
  'certificate-size': 'RFC 5280 4.1',
  'chain-empty': 'X509-SVID 5.1',
  'chain-length': 'X509-SVID 5.1',

  'svid-uri-missing': 'X509-SVID 2',
  'svid-uri-count': 'X509-SVID 2',
  'leaf-path': 'X509-SVID 5.2',
  'leaf-san-critical': 'X509-SVID 3.1',
  'leaf-ca': 'X509-SVID 4.1',
  'leaf-key-usage': 'X509-SVID 4.3',
  'leaf-extended-key-usage': 'X509-SVID 4.4',
  'signing-path': 'X509-SVID 3.2',
  'signing-ca': 'X509-SVID 4.1',
  'signing-key-usage': 'X509-SVID 4.3',

  'path-bundle': 'SPIFFE Trust Domain and Bundle 3',
  'path-no-authority': 'RFC 5280 6.1',
  'path-complexity': 'RFC 5280 6.1',
  'path-signature-algorithm': 'RFC 5280 4.1.1.2',
  'path-key': 'RFC 5280 4.1.2.7',
  'path-not-yet-valid': 'RFC 5280 6.1.3',
  'path-expired': 'RFC 5280 6.1.3',
  'path-length': 'RFC 5280 4.2.1.9',
  'path-critical-extension': 'RFC 5280 4.2',
  'path-name-constraints': 'RFC 5280 4.2.1.10',
  'path-extended-key-usage': 'RFC 5280 4.2.1.12',

  'bundle-size': 'SPIFFE Trust Domain and Bundle 4',
  'bundle-json': 'SPIFFE Trust Domain and Bundle 4',
  'bundle-duplicate-member': 'SPIFFE Trust Domain and Bundle 6.3',
  'bundle-keys': 'SPIFFE Trust Domain and Bundle 4.1.3',
  'bundle-sequence': 'SPIFFE Trust Domain and Bundle 4.1.1',
  'bundle-refresh-hint': 'SPIFFE Trust Domain and Bundle 4.1.2',
  'bundle-x5c': 'X509-SVID 6.2',
  'bundle-authority': 'X509-SVID 6.1',
  'bundle-key-mismatch': 'RFC 7517 4.7',
  'bundle-private-key': 'RFC 7517 9.2',
  'bundle-jwt-key-id': 'JWT-SVID 6.1',
  'bundle-duplicate': 'SPIFFE Trust Domain and Bundle 5.1.1',
} as const;

export type SpiffeRule = keyof typeof sections;

/** All rules, for tests that ask whether each has a case. */
export const spiffeRules: readonly SpiffeRule[] = Object.keys(sections).filter(isSpiffeRule);

export function isSpiffeRule(text: string): text is SpiffeRule {
  return Object.hasOwn(sections, text);
}

/**
 * The one error of this library. `rule` is stable and meant for programs, `section` names the standard and section that
 * the input breaks. The message never repeats the input, so that it may be shown to whoever sent it.
 */
export class SpiffeError extends Error {
  override readonly name = 'SpiffeError';
  readonly rule: SpiffeRule;
  readonly section: string;

  constructor(rule: SpiffeRule, message: string, options?: { readonly cause?: unknown }) {
    super(`${message} (${sections[rule]})`, options);
    this.rule = rule;
    this.section = sections[rule];
  }
}
