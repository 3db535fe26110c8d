import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { Client, credentials, Metadata, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { CitadelError, parseAddress, readTextFile, type standardInput } from '../kernel/index.ts';
import { formatTime } from './output.ts';
import { endedAt, profileDirectory, readProfile } from './profile.ts';
import { fromServiceError } from './service-error.ts';

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
  /** A reply in parts. The timeout is between them: how long all of it takes depends on its size. */
  download<Q, R>(method: MethodDefinition<Q, R>, request: Q): AsyncIterable<R>;
  close(): void;
}

const operatorPort = 8443;
const certificates = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const largestFile = 1024 * 1024;

/** @throws CitadelError FailedPrecondition when there is nothing to trust the server by */
export function connectOperator(options: ConnectionOptions): OperatorConnection {
  const metadata = new Metadata();
  const { name, client, unknown } =
    options.socket === undefined ? overTls(options, metadata) : overSocket(options.socket);
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
            if (error) fail(fromServiceError(error, name, unknown));
            else if (response === undefined) fail(new CitadelError('Internal', 'the server sent no reply'));
            else done(response);
          },
        );
      }),
    async *download<Q, R>(method: MethodDefinition<Q, R>, request: Q): AsyncIterable<R> {
      const { path, requestSerialize, responseDeserialize } = method;
      const stream = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
      );
      let stalled = false;
      const timer = setTimeout(() => {
        stalled = true;
        stream.cancel();
      }, options.timeout * 1000);
      try {
        for await (const part of stream) {
          timer.refresh();
          const response: R = part;
          yield response;
        }
      } catch (error) {
        if (stalled)
          throw new CitadelError('DeadlineExceeded', `${name} sent nothing for ${options.timeout} s`, {
            cause: error,
          });
        throw isServiceError(error) ? fromServiceError(error, name, unknown) : error;
      } finally {
        clearTimeout(timer);
        stream.cancel();
      }
    },
    close: () => client.close(),
  };
}

interface Target {
  /** As the caller wrote it. */
  readonly name: string;
  readonly client: Client;
  /** Why it may not know us, where we know why. */
  readonly unknown?: string | undefined;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error;
}

function overSocket(path: string): Target {
  return { name: path, client: new Client(`unix:${resolve(path)}`, credentials.createInsecure()) };
}

function overTls(options: ConnectionOptions, metadata: Metadata): Target {
  const name = serverAddress(options.server);
  const directory = profileDirectory(process.env);
  const profile = readProfile(directory);
  const roots = options.ca === undefined ? profile?.bundle : readRoots(options.ca);
  if (roots === undefined)
    throw new CitadelError(
      'FailedPrecondition',
      'nothing to trust the server by: name its roots with --ca (on its machine: citadel bundle show --format pem --socket PATH), or use --socket there; whoever is enrolled has them',
    );
  if (options.tokenFile !== undefined)
    metadata.set('authorization', `Bearer ${readText(options.tokenFile, 'token file').trim()}`);
  const client = options.tokenFile === undefined ? profile : undefined;
  try {
    const ended = client && endedAt(client.chain, Date.now());
    return {
      name,
      // The server takes no notice of a certificate that ended, as if there were none.
      unknown:
        ended &&
        `the certificate in ${directory} ended at ${formatTime(ended)}; enrol again on the server's machine (citadel operator enrol --socket PATH), and renew the next one in time`,
      client: new Client(
        name,
        credentials.createSsl(
          Buffer.from(roots),
          client ? Buffer.from(client.key.reveal()) : null,
          client ? Buffer.from(client.chain) : null,
        ),
      ),
    };
  } catch (cause) {
    // OpenSSL does not say which of them it could not read; the roots of --ca are judged above.
    throw new CitadelError(
      'FailedPrecondition',
      `the key or the certificates in ${directory} are damaged; enrol again: citadel operator enrol`,
      { cause },
    );
  }
}

/** With the port of the operator API where none is given. */
function serverAddress(text = 'localhost'): string {
  for (const complete of [text, `${text}:${operatorPort}`])
    if ((parseAddress(complete)?.port ?? 0) > 0) return complete;
  throw new CitadelError(
    'OutOfRange',
    `${text} is no address; write it as HOST:PORT, for example citadel.example:${operatorPort}`,
  );
}

function readRoots(file: string): string {
  const roots = readText(file, 'CA file');
  try {
    const [first, ...more] = (roots.match(certificates) ?? []).map((pem) => new X509Certificate(pem));
    if (first !== undefined) return [first, ...more].join('');
  } catch (cause) {
    throw new CitadelError('FailedPrecondition', `the CA file ${file} holds a damaged certificate`, {
      cause,
    });
  }
  throw new CitadelError('FailedPrecondition', `the CA file ${file} holds no PEM certificate`);
}

/** Of a file that the caller named, 1 MiB at most. */
export function readText(file: string | typeof standardInput, what: string): string {
  return readTextFile(file, what, largestFile);
}
