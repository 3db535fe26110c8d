import type { AppProtocol } from '../../mesh/index.ts';
import type { Region, Witness } from '../exact/index.ts';
import type { RegionWords } from './words.ts';

/** What one way in is: who, with what, and a request that takes it. */
export interface Access extends RegionWords {
  readonly region: Region;
  readonly example: Witness;
}

/** All that may reach ports that are decided alike. */
export interface PortAccess {
  /** Ids of workloads. */
  readonly workloads: readonly string[];
  readonly port: number;
  readonly protocol: AppProtocol;
  /** False where no proxy stands: there everything is let in, and nothing of it is told in `access`. */
  readonly enforced: boolean;
  readonly access: readonly Access[];
  /** Whether `access` is all of it. */
  readonly complete: boolean;
  /** Why nothing can be said, and of which policies; undefined where all is said. */
  readonly undecided: { readonly policies: readonly string[]; readonly reason: string } | undefined;
}
