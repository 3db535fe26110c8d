import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { fromServiceError } from '../../../src/cli/service-error.ts';

const failure = (code: status, details: string): ServiceError =>
  Object.assign(new Error(details), { code, details, metadata: new Metadata() });
/** As grpc-js has it of a reply: with the headers that came with it. */
function answered(code: status, details: string): ServiceError {
  const error = failure(code, details);
  error.metadata.set('content-type', 'application/grpc+proto');
  return error;
}
const lastError = (text: string) =>
  failure(status.UNAVAILABLE, `No connection established. Last error: Error: ${text}. Resolution note: `);

test.each([
  [
    'nobody listens',
    lastError('connect ECONNREFUSED 127.0.0.1:8443'),
    'Unavailable',
    'a.example:8443 cannot be reached (connect ECONNREFUSED 127.0.0.1:8443); is the server running, and is this its address?',
  ],
  [
    'there is no such host',
    failure(status.UNAVAILABLE, 'Name resolution failed for target dns:a.example:8443'),
    'Unavailable',
    /cannot be reached \(Name resolution failed/,
  ],
  [
    'its certificate is for another name',
    failure(
      status.UNAVAILABLE,
      "No connection established. Last error: Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Host: a.example. is not in the cert's altnames: DNS:b.example, IP Address:127.0.0.1. Resolution note: ",
    ),
    'FailedPrecondition',
    'a.example:8443: its certificate is for other names (DNS:b.example, IP Address:127.0.0.1); call it by one of them, or add this one to servingNames in its configuration',
  ],
  [
    'its root is another',
    lastError('self-signed certificate in certificate chain'),
    'FailedPrecondition',
    /its certificate is not trusted .*--ca, or enrol again$/,
  ],
  [
    'it refuses ours',
    lastError('40DD:error:0A000416:SSL routines:ssl3_read_bytes:ssl/tls alert certificate unknown:x.c:9:\n'),
    'FailedPrecondition',
    /it refuses our certificate .*enrol again/,
  ],
  [
    'another protocol is spoken there',
    lastError('40DD:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:x.c:77:\n'),
    'FailedPrecondition',
    /no TLS is spoken there; the operator API is at listen\.operator/,
  ],
  [
    'another port of the server answers',
    failure(status.UNIMPLEMENTED, 'The server does not implement the method /citadel.v1.X/Y'),
    'FailedPrecondition',
    /does not know this command: it is another of the server's ports/,
  ],
  [
    'what the server needs is away',
    answered(status.UNAVAILABLE, 'Vault is sealed or in maintenance; unseal it'),
    'Unavailable',
    'Vault is sealed or in maintenance; unseal it',
  ],
  ['it is slow', failure(status.DEADLINE_EXCEEDED, 'Deadline'), 'DeadlineExceeded', /raise --timeout$/],
  ['an argument is wrong', failure(status.INVALID_ARGUMENT, 'no serial'), 'OutOfRange', 'no serial'],
  ['it says no', failure(status.PERMISSION_DENIED, 'this needs a role'), 'PermissionDenied', /needs a role$/],
])('a call fails since %s', (_, error, code, message) => {
  const told = fromServiceError(error, 'a.example:8443');
  expect(told.code).toBe(code);
  expect(told.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
});

test('a certificate that ended is why the server does not know its holder', () => {
  const error = failure(status.UNAUTHENTICATED, 'prove who you are');
  expect(fromServiceError(error, 'a', 'it ended').message).toBe('it ended');
  expect(fromServiceError(error, 'a').message).toBe('prove who you are');
});
