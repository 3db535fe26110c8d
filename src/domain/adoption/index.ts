export {
  type AdoptionService,
  type AdoptionSession,
  type AgentState,
  createAdoptionService,
} from './service.ts';
