export { addHandshakes, noFailures } from './handshakes.ts';
export {
  type AdoptionService,
  type AdoptionSession,
  type AgentState,
  createAdoptionService,
} from './service.ts';
