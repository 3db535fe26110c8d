import { expect, test } from 'vitest';
import { connectionFault } from '../../../src/kernel/index.ts';

test.each([
  [
    'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ',
    'connect ECONNREFUSED 127.0.0.1:1',
  ],
  [
    'No connection established. Last error: Error [ERR_TLS_CERT_ALTNAME_INVALID]: Host: a. is not in b. Resolution note: x',
    'Host: a. is not in b',
  ],
  [
    'No connection established. Last error: SSL routines:x.c:77:\n. Resolution note: ',
    'SSL routines:x.c:77:',
  ],
  ['Name resolution failed', 'Name resolution failed'],
])('of %j it says %j', (details, fault) => {
  expect(connectionFault(details)).toBe(fault);
});
