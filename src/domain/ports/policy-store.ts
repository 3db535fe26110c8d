import type { Page } from './issuance-store.ts';

/** Which object: there is one of a kind and name in a namespace. */
export interface PolicyObjectKey {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** One object as an author wrote it. */
export interface StoredPolicy extends PolicyObjectKey {
  /** YAML, this object alone; undefined: the object was taken away. */
  readonly text: string | undefined;
  /** Of the canonical form: the same hash decides the same. Empty where it was taken away. */
  readonly hash: string;
  /** The change by which it came. */
  readonly revision: number;
}

/** Who changed what when, and why. */
export interface PolicyRevision {
  /** From 1, without gaps. */
  readonly revision: number;
  readonly at: Date;
  /** An operator's subject. */
  readonly by: string;
  readonly reason: string;
}

export interface PolicyChange extends Omit<PolicyRevision, 'revision'> {
  /** The revision that the author had before them; another one in between makes the change fail. */
  readonly expected: number;
  readonly objects: readonly Omit<StoredPolicy, 'revision'>[];
  /** The candidate that this makes hold; it is none any more afterwards. */
  readonly promotes?: string;
}

/** A change that is tried beside what holds, and decides nothing. */
export interface PolicyCandidate extends Omit<PolicyRevision, 'revision'> {
  /** 12 lower-case hexadecimal digits. */
  readonly id: string;
  /** The revision that its author had before them. */
  readonly base: number;
  readonly objects: readonly Omit<StoredPolicy, 'revision'>[];
}

/** Policies that are kept here, with all that they ever were. */
export interface PolicyStore {
  /** What holds now, by kind, namespace and name; and the revision that it is. */
  current(): Promise<{ readonly revision: number; readonly policies: readonly StoredPolicy[] }>;
  /**
   * What held after an earlier revision; after 0, nothing.
   * @throws CitadelError NotFound when there has been none of this number
   */
  at(revision: number): Promise<readonly StoredPolicy[]>;
  /**
   * All objects of the change or none.
   * @returns the new revision
   * @throws CitadelError Aborted when `expected` is not the present revision, or `promotes` not the present candidate
   */
  apply(change: PolicyChange): Promise<number>;
  /** The one that is tried now. */
  candidate(): Promise<PolicyCandidate | undefined>;
  /**
   * One at a time.
   * @throws CitadelError AlreadyExists while there is another; Aborted when `base` is not the present revision
   */
  propose(candidate: PolicyCandidate): Promise<void>;
  /** @throws CitadelError NotFound when it is not the present candidate */
  withdraw(id: string): Promise<void>;
  /** Newest first; of one object where `key` names it. */
  history(query: {
    readonly key?: PolicyObjectKey;
    readonly limit: number;
    readonly pageToken?: string;
  }): Promise<Page<PolicyRevision & { readonly objects: readonly StoredPolicy[] }>>;
}
