import type { Server } from '@grpc/grpc-js';
import { HealthImplementation, type ServingStatusMap } from 'grpc-health-check';

/** Answers grpc.health.v1.Health for the server and for each of its services. */
export interface GrpcHealth {
  addTo(server: Server): void;
  /** Tells checkers and watchers; false during start and shutdown. */
  setServing(serving: boolean): void;
}

/** @param services full names, as in `citadel.v1.OperatorService` */
export function createGrpcHealth(services: readonly string[]): GrpcHealth {
  const names = ['', ...services];
  const initial: ServingStatusMap = Object.fromEntries(names.map((name) => [name, 'NOT_SERVING']));
  const health = new HealthImplementation(initial);
  return {
    addTo: (server) => health.addToServer(server),
    setServing(serving) {
      for (const name of names) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
    },
  };
}
