export { type Envoy, type EnvoyOptions, startEnvoy } from './envoy.ts';
export { exchange, type HttpCall, type HttpReply, HttpStatusError } from './http.ts';
export {
  type KubeApi,
  type KubeApiAddress,
  type KubeApiOptions,
  type KubeObject,
  type Pod,
  startKubeApi,
  type TokenOptions,
  type TokenReviewStatus,
} from './kubeapi/index.ts';
export { hasPart, type PartName, requirePart } from './locate.ts';
export { type OpenBao, startOpenBao } from './openbao.ts';
export { freePort } from './ports.ts';
export { type ExitStatus, type ProcessOptions, type RunningProcess, startProcess } from './process.ts';
export { canMount, type SmallDisk, smallDisk } from './small-disk.ts';
export { type SoftHsm, type SoftHsmOptions, startSoftHsm } from './softhsm.ts';
export { type TemporaryDirectory, temporaryDirectory } from './temporary.ts';
export { type WaitOptions, waitFor } from './wait-for.ts';
