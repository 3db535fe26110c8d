import { expect, test } from 'vitest';
import { explain } from '../../../src/capture/nft.ts';

test.each<[string, object, string, string, RegExp, string?]>([
  ['is not installed', { code: 'ENOENT' }, '', 'FailedPrecondition', /install the package nftables/],
  [
    'lacks rights',
    {},
    'netlink: Error: cache initialization failed: Operation not permitted',
    'PermissionDenied',
    /root/,
  ],
  [
    'lacks rights, in other words',
    {},
    'Error: Could not process rule: Operation not permitted',
    'PermissionDenied',
    /root/,
  ],
  [
    'finds no table',
    {},
    'Error: No such file or directory\nlist table inet citadel',
    'NotFound',
    /nothing is captured/,
  ],
  [
    'finds a part of the kernel missing',
    {},
    '/dev/stdin:6:3-36: Error: Could not process rule: No such file or directory',
    'FailedPrecondition',
    /nothing was changed/,
    '-f',
  ],
  ['hangs', { killed: true }, '', 'Unavailable', /did not end/],
  ['refuses', {}, '/dev/stdin:3:9-12: Error: syntax error', 'FailedPrecondition', /nothing was changed/],
])('nft that %s', (_what, error, stderr, code, message, asked = 'list') => {
  const explained = explain(asked, { message: 'nft failed', ...error }, stderr);
  expect(explained.code).toBe(code);
  expect(explained.message).toMatch(message);
});
