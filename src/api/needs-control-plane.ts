import { CitadelError } from '../kernel/index.ts';

/** What serves a method of the control plane. @throws CitadelError FailedPrecondition where this server has none */
export function needsControlPlane<T>(service: T | undefined): T {
  if (service !== undefined) return service;
  throw new CitadelError(
    'FailedPrecondition',
    'this server has no control plane: add mesh to its configuration',
  );
}
