import type { WorldSettings } from './model.ts';

/**
 * The names of the authorizers that a port's proxy can ask. Only gRPC can be asked about a connection: what policies of the
 * others match is refused there, as if they were not there. @param tcp the port's bytes are not read as HTTP
 */
export function askableProviders(
  { authorizationProviders }: Pick<WorldSettings, 'authorizationProviders'>,
  tcp: boolean,
): readonly string[] {
  return authorizationProviders.filter(({ kind }) => !(tcp && kind === 'http')).map(({ name }) => name);
}
