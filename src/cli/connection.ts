import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { CitadelError, type ErrorCode, errorCodes } from '../kernel/index.ts';
import { profileDirectory, readProfile } from './profile.ts';

/** How to reach the operator API. */
export interface ConnectionOptions {
  readonly server?: string;
  readonly socket?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  /** Seconds. */
  readonly timeout: number;
}

export interface OperatorConnection {
  call<Q, R>(method: MethodDefinition<Q, R>, request: Q): Promise<R>;
  close(): void;
}

const defaultServer = 'localhost:8443';
const largestFile = 1024 * 1024;

/** @throws CitadelError FailedPrecondition when there is nothing to trust the server by */
export function connectOperator(options: ConnectionOptions): OperatorConnection {
  const metadata = new Metadata();
  const client = options.socket === undefined ? overTls(options, metadata) : overSocket(options.socket);
  return {
    call: (method, request) =>
      new Promise((done, fail) => {
        const deadline = new Date(Date.now() + options.timeout * 1000);
        const { path, requestSerialize, responseDeserialize } = method;
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          metadata,
          { deadline },
          (error, response) => {
            if (error) fail(fromServiceError(error));
            else if (response === undefined) fail(new CitadelError('Internal', 'the server sent no reply'));
            else done(response);
          },
        );
      }),
    close: () => client.close(),
  };
}

function overSocket(path: string): Client {
  return new Client(`unix:${resolve(path)}`, credentials.createInsecure());
}

function overTls(options: ConnectionOptions, metadata: Metadata): Client {
  const profile = readProfile(profileDirectory(process.env));
  const roots = options.ca === undefined ? profile?.bundle : readText(options.ca, 'the CA file');
  if (roots === undefined)
    throw new CitadelError(
      'FailedPrecondition',
      'nothing to trust the server by; enrol first (citadel operator enrol), name its roots with --ca, or use --socket',
    );
  if (options.tokenFile !== undefined)
    metadata.set('authorization', `Bearer ${readText(options.tokenFile, 'the token file').trim()}`);
  const client = options.tokenFile === undefined ? profile : undefined;
  return new Client(
    options.server ?? defaultServer,
    credentials.createSsl(
      Buffer.from(roots),
      client ? Buffer.from(client.key.reveal()) : null,
      client ? Buffer.from(client.chain) : null,
    ),
  );
}

export function readText(file: string, what: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.length <= largestFile) return text;
  } catch (error) {
    throw new CitadelError(
      'FailedPrecondition',
      `cannot read ${what} ${file}; check its path and permissions`,
      {
        cause: error,
      },
    );
  }
  throw new CitadelError('FailedPrecondition', `${what} ${file} is too large`);
}

/** gRPC numbers its codes from 1 in the order that errorCodes lists them. */
function fromServiceError(error: ServiceError): CitadelError {
  const code: ErrorCode = errorCodes[error.code - 1] ?? 'Unknown';
  const message =
    error.code === status.UNAVAILABLE
      ? `the server cannot be reached (${error.details}); is it running, and is this its address?`
      : error.code === status.DEADLINE_EXCEEDED
        ? 'the server did not answer in time; try again, or raise --timeout'
        : error.details;
  return new CitadelError(code === 'InvalidArgument' ? 'OutOfRange' : code, message, { cause: error });
}
