import { Metadata } from '@grpc/grpc-js';
import { IstioCertificateRequest, IstioCertificateServiceClient } from '../../gen/istio/v1/auth/ca.ts';
import { CitadelError, type Clock, isCitadelError } from '../../kernel/index.ts';
import { encodeCertificateRequest, generateRequestKey } from '../../pki/light.ts';
import { type AgentOptions, defaults } from '../options.ts';
import { channelOptions, channelTarget, serverCredentials } from './channel.ts';
import { fromServiceError } from './grpc-errors.ts';
import type { Identity } from './identity.ts';
import { type CheckedReply, checkReply } from './reply.ts';
import type { ServerRoots } from './server-trust.ts';
import { readToken } from './token.ts';

export interface CertificateRequester {
  /** A new key, a request, and its checked reply. @throws CitadelError with the server's code */
  request(current: Identity | undefined, signal: AbortSignal): Promise<CheckedReply>;
}

/** Asks over istio.v1.auth, on a connection of its own each time: that is once in half a certificate's life. */
export function createCertificateRequester(
  options: AgentOptions,
  roots: ServerRoots,
  clock: Clock,
): CertificateRequester {
  const { certificate, callDeadline = defaults.callDeadline } = options;
  /** The certificate that the server took for no proof: it may be revoked. */
  let refused: Identity | undefined;

  async function proof(current: Identity | undefined): Promise<Metadata> {
    const metadata = new Metadata();
    if (options.clusterId !== undefined) metadata.set('clusterid', options.clusterId);
    const live = current !== undefined && current !== refused && current.notAfter > clock.now();
    if (options.renewWith === 'svid' && live) return metadata;
    if (options.token === undefined) {
      if (current !== undefined && current.notAfter > clock.now()) return metadata;
      throw new CitadelError(
        'FailedPrecondition',
        'there is neither a token file nor a valid certificate to prove who we are',
      );
    }
    metadata.set('authorization', `Bearer ${(await readToken(options.token.file)).reveal()}`);
    return metadata;
  }

  return {
    async request(current, signal) {
      const key = await generateRequestKey(certificate?.keyAlgorithm ?? defaults.keyAlgorithm);
      const request = IstioCertificateRequest.create({
        csr: encodeCertificateRequest(key, current === undefined ? [] : [current.id.toString()]),
        validityDuration: BigInt(certificate?.ttlSeconds ?? 0),
      });
      const metadata = await proof(current);
      const offered = current !== undefined && current.notAfter > clock.now() ? current : undefined;
      const credentials = serverCredentials(await roots(signal), offered);
      const client = new IstioCertificateServiceClient(
        channelTarget(options),
        credentials,
        channelOptions(options),
      );
      try {
        const certChain = await createCertificate(client, request, metadata, callDeadline, signal);
        const trustDomain = options.trustDomain ?? current?.id.trustDomain.name;
        return checkReply(certChain, { key, trustDomain, current, now: clock.now() });
      } catch (error) {
        if (isCitadelError(error, 'Unauthenticated')) refused = current;
        throw error;
      } finally {
        client.close();
      }
    },
  };
}

function createCertificate(
  client: IstioCertificateServiceClient,
  request: IstioCertificateRequest,
  metadata: Metadata,
  deadline: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const call = client.createCertificate(
      request,
      metadata,
      { deadline: Date.now() + deadline },
      (error, reply) => {
        signal.removeEventListener('abort', cancel);
        if (error === null) resolve(reply.certChain);
        else reject(fromServiceError(error));
      },
    );
    const cancel = () => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
  });
}
