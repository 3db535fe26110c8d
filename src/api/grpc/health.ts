import { type Server, type ServerWritableStream, status } from '@grpc/grpc-js';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  type HealthServer,
  HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../gen/grpc/health/v1/health.ts';

/** Answers grpc.health.v1.Health for the server and for each of its services. */
export interface GrpcHealth {
  addTo(server: Server): void;
  /** Tells checkers and watchers; false during start and shutdown. */
  setServing(serving: boolean): void;
}

type Watcher = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/** @param services full names, as in `citadel.v1.OperatorService` */
export function createGrpcHealth(services: readonly string[]): GrpcHealth {
  // The empty name stands for the server as a whole.
  const names = ['', ...services];
  const watchers = new Set<Watcher>();
  let current: ServingStatus = ServingStatus.NOT_SERVING;
  const implementation: HealthServer = {
    check({ request }, reply) {
      if (names.includes(request.service)) reply(null, { status: current });
      else reply({ code: status.NOT_FOUND, details: 'this server has no service of that name' });
    },
    watch(stream) {
      if (!names.includes(stream.request.service)) {
        // The contract keeps the call open: a service could come. Here none does.
        stream.write({ status: ServingStatus.SERVICE_UNKNOWN });
        return;
      }
      watchers.add(stream);
      for (const end of ['cancelled', 'close']) stream.once(end, () => watchers.delete(stream));
      stream.write({ status: current });
    },
    list(_call, reply) {
      reply(null, { statuses: Object.fromEntries(names.map((name) => [name, { status: current }])) });
    },
  };
  return {
    addTo: (server) => server.addService(HealthService, implementation),
    setServing(serving) {
      const next = serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
      if (next === current) return;
      current = next;
      for (const watcher of watchers) watcher.write({ status: current });
    },
  };
}
