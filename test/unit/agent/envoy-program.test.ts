import { expect, test } from 'vitest';
import { readProgram } from '../../../src/agent/envoy/program.ts';

const commit = '9e5580933739775e8bce696a57a2e1bc99368f23';

test.each([
  [`${commit}/1.40.0/Clean/RELEASE/BoringSSL`, '1.40.0', 'BoringSSL'],
  [`${commit}/1.37.0-dev/Modified/DEBUG/BoringSSL-FIPS`, '1.37.0-dev', 'BoringSSL-FIPS'],
])('reads what an Envoy is: %s', (text, version, library) => {
  const expected = { name: 'envoy', version, library };
  expect(readProgram(JSON.stringify({ version: text, state: 'LIVE' }))).toStrictEqual(expected);
});

test.each([
  '',
  'null',
  '[]',
  '{}',
  '{"version":1}',
  '{"version":"1.40.0"}',
  `{"version":"${commit}/1.40.0/Clean"}`,
])('takes nothing out of %s', (body) => expect(readProgram(body)).toBeUndefined());
