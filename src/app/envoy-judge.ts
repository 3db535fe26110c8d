// For the one command that asks an Envoy of its own: nothing of a server.
export {
  type EnvoyJudge,
  type JudgedCall,
  type JudgedPlace,
  type Reply,
  startEnvoyJudge,
} from '../adapters/envoy/judge/index.ts';
