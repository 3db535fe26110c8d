export { createKubernetesTokenAttestor, type KubernetesTokenAttestorOptions } from './attestor.ts';
