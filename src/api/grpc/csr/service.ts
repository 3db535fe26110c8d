import type { IssuanceService } from '../../../domain/issuance/index.ts';
import type {
  IstioCertificateRequest,
  IstioCertificateResponse,
  IstioCertificateServiceServer,
} from '../../../gen/istio/v1/auth/ca.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { readCredentials } from '../credentials.ts';
import { unary } from '../status.ts';

/** Longer than the back-off towards an API server that throttles, shorter than the clients' own patience. */
const callDeadline = 10_000;

/** `istio.v1.auth.IstioCertificateService`, as pilot-agent and ztunnel call it. */
export function createCsrService(issuance: IssuanceService): IstioCertificateServiceServer {
  return {
    createCertificate: unary<IstioCertificateRequest, IstioCertificateResponse>(
      callDeadline,
      async (request, call, signal) => {
        const impersonated = readText(request, 'ImpersonatedIdentity');
        // A signer by name is Istio's way to reach an external CA through the Kubernetes CSR API. There is one here.
        readText(request, 'CertSigner');
        const issued = await issuance.issue(
          {
            csr: request.csr,
            requestedSeconds: request.validityDuration,
            credentials: readCredentials(call),
            ...(impersonated === undefined ? {} : { impersonated }),
          },
          signal,
        );
        return { certChain: [...issued.chainPem, issued.bundle.pem] };
      },
    ),
  };
}

function readText(request: IstioCertificateRequest, name: string): string | undefined {
  const value: unknown = request.metadata?.[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string')
    throw new CitadelError('InvalidArgument', `metadata ${name} must be a string`);
  return value;
}
