export { dueDrains, pendingDrains } from './due.ts';
export { createDrainService, type DrainService } from './service.ts';
