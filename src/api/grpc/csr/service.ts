import type { CertificateCall, IssuanceService } from '../../../domain/issuance/index.ts';
import {
  type IstioCertificateRequest,
  type IstioCertificateResponse,
  type IstioCertificateServiceServer,
  IstioCertificateServiceService,
} from '../../../gen/istio/v1/auth/ca.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { readCredentials } from '../credentials.ts';
import type { GrpcService } from '../listener.ts';
import { unary } from '../status.ts';

/** Longer than the back-off towards an API server that throttles, shorter than the clients' own patience. */
const callDeadline = 10_000;

/** `istio.v1.auth.IstioCertificateService`, as pilot-agent and ztunnel call it. */
export function createCsrService(issuance: IssuanceService): GrpcService {
  const implementation: IstioCertificateServiceServer = {
    createCertificate: unary<IstioCertificateRequest, IstioCertificateResponse>(
      callDeadline,
      async (request, call, signal) => {
        const issued = await issuance.issue(() => readCall(request, call), signal);
        return { certChain: [...issued.chainPem, issued.bundle.pem] };
      },
    ),
  };
  return { definition: IstioCertificateServiceService, implementation };
}

function readCall(
  request: IstioCertificateRequest,
  call: Parameters<typeof readCredentials>[0],
): CertificateCall {
  const impersonated = readText(request, 'ImpersonatedIdentity');
  // A signer by name is Istio's way to reach an external CA through the Kubernetes CSR API. There is one here.
  readText(request, 'CertSigner');
  return {
    csr: request.csr,
    requestedSeconds: request.validityDuration,
    credentials: readCredentials(call),
    ...(impersonated === undefined ? {} : { impersonated }),
  };
}

function readText(request: IstioCertificateRequest, name: string): string | undefined {
  const value: unknown = request.metadata?.[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string')
    throw new CitadelError('InvalidArgument', `metadata ${name} must be a string`);
  return value;
}
