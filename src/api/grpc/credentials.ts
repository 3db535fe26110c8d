import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import type { Credentials } from '../../domain/ports/index.ts';
import { CitadelError, Secret } from '../../kernel/index.ts';

/** Kubernetes' own tokens stay below 2 KiB; a larger bound leaves room for OIDC tokens with many claims. */
const largestToken = 16 * 1024;
const largestClusterId = 253;
const clusterIdCharacters = /^[A-Za-z0-9._-]+$/;
const bearer = /^Bearer ([\x21-\x7e]+)$/;

type AuthenticatedCall = Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getAuthContext'>;

/**
 * Reads what a caller brought as proof: a bearer token, the cluster's id, a client certificate.
 * @throws CitadelError Unauthenticated for a malformed header
 */
export function readCredentials(call: AuthenticatedCall): Credentials {
  const authorization = single(call.metadata, 'authorization');
  const clusterId = single(call.metadata, 'clusterid');
  const certificate = call.getAuthContext().sslPeerCertificate?.raw;
  if (
    clusterId !== undefined &&
    (clusterId.length > largestClusterId || !clusterIdCharacters.test(clusterId))
  ) {
    throw new CitadelError('Unauthenticated', 'the clusterid metadata is malformed');
  }
  return {
    ...(authorization === undefined ? {} : { token: readBearer(authorization) }),
    ...(clusterId === undefined ? {} : { clusterId }),
    ...(certificate === undefined ? {} : { clientCertificates: [certificate] }),
  };
}

function readBearer(header: string): Secret<string> {
  if (header.length > largestToken)
    throw new CitadelError('Unauthenticated', 'the authorization metadata is too long');
  const token = bearer.exec(header)?.[1];
  if (token === undefined) {
    throw new CitadelError('Unauthenticated', 'the authorization metadata must be "Bearer" and a token');
  }
  return new Secret(token);
}

function single(metadata: Metadata, name: string): string | undefined {
  const values = metadata.get(name);
  if (values.length > 1)
    throw new CitadelError('Unauthenticated', `the ${name} metadata was given more than once`);
  const [value] = values;
  return value === undefined ? undefined : String(value);
}
