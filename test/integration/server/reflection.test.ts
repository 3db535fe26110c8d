import { credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OperatorServiceService } from '../../../src/gen/citadel/v1/operator.ts';
import { FileDescriptorProto } from '../../../src/gen/google/protobuf/descriptor.ts';
import { caught } from '../../support/observe.ts';
import { type ReflectionTarget, reflect } from '../../support/reflection.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

const operatorService = 'citadel.v1.OperatorService';

describe('reflection of the operator API over its TLS listener', () => {
  let server: TestServer;
  let target: ReflectionTarget;
  beforeAll(async () => {
    server = await startTestServer();
    target = targetOf(server.app.operator.port);
  });
  afterAll(() => server?.stop());

  /** Whoever trusts our roots, without a certificate or a token of its own. */
  const targetOf = (port: number): ReflectionTarget => ({
    port,
    credentials: credentials.createSsl(Buffer.from(server.app.authority.bundle().pem)),
    options: { 'grpc.ssl_target_name_override': 'localhost' },
  });

  it.each(['v1', 'v1alpha'] as const)('lists the service to askers of %s', async (version) => {
    expect(await reflect(target, { listServices: '' }, version)).toMatchObject({
      listServicesResponse: { service: [{ name: operatorService }] },
    });
  });

  it('gives a contract by which each method of the service can be called', async () => {
    const reply = await reflect(target, { fileContainingSymbol: operatorService });
    const [bytes] = descriptorsOf(reply).filter(({ package: name }) => name === 'citadel.v1');
    const methods = bytes?.service.find(({ name }) => name === 'OperatorService')?.method ?? [];
    const paths = methods.map(({ name }) => `/${operatorService}/${name}`);
    expect(paths.sort()).toEqual(
      Object.values(OperatorServiceService)
        .map(({ path }) => path)
        .sort(),
    );
  });

  it('knows nothing of other services, and says so', async () => {
    const reply = await reflect(target, { fileContainingSymbol: 'istio.v1.auth.IstioCertificateService' });
    expect(reply).toMatchObject({ errorResponse: { errorCode: status.NOT_FOUND } });
  });

  it('is not offered where workloads call', async () => {
    const error = await caught(reflect(targetOf(server.app.csr.port), { listServices: '' }));
    expect(error).toMatchObject({ code: status.UNIMPLEMENTED });
  });
});

function descriptorsOf(reply: unknown): FileDescriptorProto[] {
  const files: unknown = Reflect.get(
    Object(Reflect.get(Object(reply), 'fileDescriptorResponse')),
    'fileDescriptorProto',
  );
  if (!Array.isArray(files)) throw new Error(`no contract in ${JSON.stringify(reply)}`);
  return files.map((file: Uint8Array) => FileDescriptorProto.decode(file));
}
