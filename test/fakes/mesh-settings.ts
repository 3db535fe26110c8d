import type { MeshSettings } from '../../src/domain/mesh/index.ts';

/** Of a mesh of which a test wants nothing in particular. */
export const meshSettings: MeshSettings = {
  trustDomain: 'example.org',
  trustDomainAliases: [],
  rootNamespace: 'root',
  authorizationProviders: [],
  connectionLifetime: 3_600_000,
  accessLogSample: 1,
  tls: { postQuantum: true, minimumVersion: '1.3' },
  drainGeneration: 0,
  outlierDetection: undefined,
};
