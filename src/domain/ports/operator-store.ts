export type Role = 'viewer' | 'author' | 'operator';

export interface OperatorRecord {
  /** `operator:NAME` for a client certificate, `oidc:ISSUER#SUBJECT` for a token. */
  readonly subject: string;
  readonly role: Role;
  readonly grantedAt: Date;
  readonly grantedBy: string;
}

export interface OneTimeCredential {
  /** SHA-256 of the credential, lower-case hexadecimal; the credential itself is never kept. */
  readonly digest: string;
  readonly role: Role;
  readonly expiresAt: Date;
}

export interface OperatorStore {
  get(subject: string): Promise<OperatorRecord | undefined>;
  list(): Promise<readonly OperatorRecord[]>;
  grant(record: OperatorRecord): Promise<void>;
  /** @returns whether there was one */
  revoke(subject: string): Promise<boolean>;
  addCredential(credential: OneTimeCredential): Promise<void>;
  /** Takes the credential, so that it serves once also under concurrent use. */
  takeCredential(digest: string, now: Date): Promise<OneTimeCredential | undefined>;
}
