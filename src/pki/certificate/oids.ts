import { oid } from '../der/index.ts';

/** Content octets of an OBJECT IDENTIFIER as latin1, the key under which readers look it up. */
export const oidKey = (content: Buffer): string => content.toString('latin1');
const keyOf = (dotted: string): string => oid(dotted).subarray(2).toString('latin1');

export const extensionOids = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;
export type KnownExtension = keyof typeof extensionOids;

const knownExtensions: readonly KnownExtension[] = [
  'subjectKeyIdentifier',
  'keyUsage',
  'subjectAltName',
  'basicConstraints',
  'authorityKeyIdentifier',
  'extendedKeyUsage',
];

export const extensionByKey: ReadonlyMap<string, KnownExtension> = new Map(
  knownExtensions.map((name) => [keyOf(extensionOids[name]), name]),
);

/** RFC 5280, 4.2.1.12. */
export const extendedKeyUsageOids = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

export const extendedKeyUsageByKey: ReadonlyMap<string, string> = new Map(
  Object.entries(extendedKeyUsageOids).map(([name, dotted]) => [keyOf(dotted), name]),
);

/** KeyUsage's bits, in the standard's order: bit n is `1 << (15 - n)` (RFC 5280, 4.2.1.3). */
export const keyUsages = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof keyUsages)[number];

export function keyUsageBits(usages: readonly KeyUsage[]): number {
  return usages.reduce((bits, usage) => bits | (1 << (15 - keyUsages.indexOf(usage))), 0);
}

/** PKCS #9 extensionRequest (RFC 2985, 5.4.2). */
export const extensionRequestKey = keyOf('1.2.840.113549.1.9.14');
export const extensionRequestOid = '1.2.840.113549.1.9.14';

const attributeNames: ReadonlyMap<string, string> = new Map(
  Object.entries({
    CN: '2.5.4.3',
    SERIALNUMBER: '2.5.4.5',
    C: '2.5.4.6',
    L: '2.5.4.7',
    ST: '2.5.4.8',
    STREET: '2.5.4.9',
    O: '2.5.4.10',
    OU: '2.5.4.11',
    UID: '0.9.2342.19200300.100.1.1',
    DC: '0.9.2342.19200300.100.1.25',
  }).map(([name, dotted]) => [keyOf(dotted), name]),
);

/** The short name of an attribute of a distinguished name (RFC 4514, 3). */
export function attributeName(content: Buffer): string | undefined {
  return attributeNames.get(oidKey(content));
}
