import {
  experimental,
  Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  type status,
} from '@grpc/grpc-js';
import { AgentServiceService, type SyncRequest, SyncResponse } from '../../src/gen/citadel/v1/agent.ts';
import {
  type IstioCertificateRequest,
  IstioCertificateResponse,
  IstioCertificateServiceService,
} from '../../src/gen/istio/v1/auth/ca.ts';
import type { TestAuthority } from './test-authority.ts';

export interface SeenRequest {
  readonly request: IstioCertificateRequest;
  readonly authorization: string | undefined;
  readonly clusterId: string | undefined;
  readonly clientSerial: string | undefined;
}

export interface CertificateServiceOptions {
  readonly authority: TestAuthority;
  readonly spiffeId: string;
  /** Whether the handshake carries the root too, as a pin asks for. */
  readonly sendRoot?: boolean;
  readonly port?: number;
  /** Whether it serves citadel.v1.AgentService. */
  readonly sync?: boolean;
}

export type SyncCall = ServerDuplexStream<SyncRequest, SyncResponse>;

/** A certificate server: real gRPC over TLS, real certificates; what it answers is for the test to say. */
export class FakeCertificateService {
  readonly requests: SeenRequest[] = [];
  readonly serials: string[] = [];
  readonly syncCalls: SyncCall[] = [];
  /** Of the client certificate of each Sync stream. */
  readonly syncSerials: (string | undefined)[] = [];
  readonly reports: SyncRequest[] = [];
  /** The lifetime of what it issues, seconds. */
  lifetime = 3600;
  /** Who signs; the roots of all in `roots` go into the reply. */
  authority: TestAuthority;
  roots: TestAuthority[];
  spiffeId: string;
  /** Answers instead of a certificate. */
  failWith: { readonly code: status; readonly details: string } | undefined;
  /** Changes the reply before it goes out. */
  tamper: (chain: string[]) => string[] = (chain) => chain;
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server, port: number, options: CertificateServiceOptions) {
    this.#server = server;
    this.port = port;
    this.authority = options.authority;
    this.roots = [options.authority];
    this.spiffeId = options.spiffeId;
  }

  static async start(options: CertificateServiceOptions): Promise<FakeCertificateService> {
    const { authority } = options;
    const serving = await authority.issueServing({ dns: ['localhost', 'citadel.test'], ips: ['127.0.0.1'] });
    const chain = [...serving.chainPem, ...(options.sendRoot ? [authority.rootPem] : [])].join('');
    const server = new Server();
    let service: FakeCertificateService | undefined;
    server.addService(IstioCertificateServiceService, {
      createCertificate: (
        call: ServerUnaryCall<IstioCertificateRequest, IstioCertificateResponse>,
        callback: sendUnaryData<IstioCertificateResponse>,
      ) => {
        void service?.reply(call, callback);
      },
    });
    if (options.sync)
      server.addService(AgentServiceService, { sync: (call: SyncCall) => service?.hold(call) });
    const ca = { caCertificate: Buffer.from(authority.rootPem) };
    const identity = { certificate: Buffer.from(chain), privateKey: Buffer.from(serving.keyPem) };
    // createSsl either asks no client for a certificate or refuses all without one; a server of ours does neither.
    const provider = {
      addCaCertificateListener: (listener: (update: typeof ca) => void) => process.nextTick(listener, ca),
      addIdentityCertificateListener: (listener: (update: typeof identity) => void) =>
        process.nextTick(listener, identity),
      removeCaCertificateListener: () => undefined,
      removeIdentityCertificateListener: () => undefined,
    };
    const credentials = experimental.createCertificateProviderServerCredentials(provider, provider, false);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${options.port ?? 0}`, credentials, (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    service = new FakeCertificateService(server, port, options);
    return service;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  private async reply(
    call: ServerUnaryCall<IstioCertificateRequest, IstioCertificateResponse>,
    callback: sendUnaryData<IstioCertificateResponse>,
  ): Promise<void> {
    try {
      callback(null, await this.answer(call));
    } catch (error) {
      callback(error instanceof Error ? error : new Error('unknown'));
    }
  }

  private async answer(
    call: ServerUnaryCall<IstioCertificateRequest, IstioCertificateResponse>,
  ): Promise<IstioCertificateResponse> {
    const { sslPeerCertificate } = call.getAuthContext();
    this.requests.push({
      request: call.request,
      authorization: call.metadata.get('authorization')[0]?.toString(),
      clusterId: call.metadata.get('clusterid')[0]?.toString(),
      clientSerial: sslPeerCertificate?.serialNumber?.toLowerCase(),
    });
    if (this.failWith !== undefined) throw Object.assign(new Error(this.failWith.details), this.failWith);
    const leaf = await this.authority.issueForRequest(call.request.csr, {
      uris: [this.spiffeId],
      notBefore: new Date(),
      notAfter: new Date(Date.now() + this.lifetime * 1000),
    });
    this.serials.push(leaf.serial);
    const roots = this.roots.map(({ rootPem }) => rootPem).join('');
    return IstioCertificateResponse.create({ certChain: this.tamper([...leaf.chainPem, roots]) });
  }

  private hold(call: SyncCall): void {
    this.syncSerials.push(call.getAuthContext().sslPeerCertificate?.serialNumber.toLowerCase());
    this.syncCalls.push(call);
    call.on('data', (report: SyncRequest) => this.reports.push(report));
    call.on('error', () => undefined);
    call.on('end', () => call.end());
  }

  /** Sends to the newest Sync stream. */
  send(response: Parameters<typeof SyncResponse.create>[0]): void {
    this.syncCalls.at(-1)?.write(SyncResponse.create(response));
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}
