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
}

/** Policies that are kept here, with all that they ever were. */
export interface PolicyStore {
  /** What holds now, by kind, namespace and name; and the revision that it is. */
  current(): Promise<{ readonly revision: number; readonly policies: readonly StoredPolicy[] }>;
  /**
   * All objects of the change or none.
   * @returns the new revision
   * @throws CitadelError Aborted when `expected` is not the present revision
   */
  apply(change: PolicyChange): Promise<number>;
  /** Newest first; of one object where `key` names it. */
  history(query: {
    readonly key?: PolicyObjectKey;
    readonly limit: number;
    readonly pageToken?: string;
  }): Promise<Page<PolicyRevision & { readonly objects: readonly StoredPolicy[] }>>;
}
