import type { Service, Workload } from '../mesh/index.ts';
import type { Policy } from '../policy/index.ts';

export interface MeshContent {
  readonly workloads: readonly Workload[];
  readonly services: readonly Service[];
  readonly policies: readonly Policy[];
}

/** How far what a source gives can be believed. */
export interface MeshSourceState {
  readonly name: string;
  /** When it was last known to be whole and current; undefined: never yet. */
  readonly currentAt: Date | undefined;
  /** What keeps it from being current, for the operator; undefined when nothing does. */
  readonly problem: string | undefined;
  /** Objects that are broken, each with where and why. */
  readonly rejected: readonly RejectedObject[];
  /** Objects that are good and do not count, wholly or in part, because of another one of their name. */
  readonly shadowed: readonly { readonly object: string; readonly reason: string }[];
  /** What else keeps the source from doing all that it should. */
  readonly warnings: readonly string[];
}

export interface RejectedObject {
  readonly object: string;
  readonly reason: string;
  /** Whether an earlier, good form of it is in force meanwhile; otherwise nothing of it is. */
  readonly kept: boolean;
}

/** A source that remembers over a restart. */
export interface KeptMeshSource extends MeshSource {
  /** The ids under which it keeps what it read. */
  readonly kept: readonly string[];
}

export interface MeshCandidate {
  readonly id: string;
  readonly content: MeshContent;
}

/** Where workloads, services and policies come from: Kubernetes, files, the store. */
export interface MeshSource {
  readonly name: string;
  /**
   * Begins to follow; `changed` is called whenever content or state may have changed. A source that cannot be reached
   * keeps its last good content, over a restart too, and goes on trying.
   */
  start(changed: () => void): Promise<void>;
  /** The last good content; undefined until there is one. */
  content(): MeshContent | undefined;
  /** What it would say if a change were made that is tried beside it; of a source that knows of such, where there is one. */
  candidate?(): MeshCandidate | undefined;
  state(): MeshSourceState;
  close(): Promise<void>;
}
