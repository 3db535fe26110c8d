import type { AuthorizationProvider, MeshSettings, MeshSnapshot } from '../../mesh/index.ts';

/** What of the operator's settings decisions hang on. */
export interface WorldSettings
  extends Pick<MeshSettings, 'trustDomain' | 'trustDomainAliases' | 'rootNamespace'> {
  /** One that speaks HTTP cannot be asked about a connection; of one whose kind is not told it is not known. */
  readonly authorizationProviders: readonly (Pick<AuthorizationProvider, 'name'> &
    Partial<Pick<AuthorizationProvider, 'kind'>>)[];
}

/**
 * All that decides who may reach whom, at one moment: who is there, how the mesh is called, and the policies. A
 * MeshSnapshot is one.
 */
export interface PolicyWorld extends Pick<MeshSnapshot, 'workloads' | 'services' | 'policies' | 'strict'> {
  readonly settings: WorldSettings;
}
