import { expect, test } from 'vitest';
import { modesOf } from '../../../src/cli/commands/mtls.ts';
import { MutualTlsStatus } from '../../../src/gen/citadel/v1/operator.ts';

test('a mode that is not known to be so is said with its reason, and not as a fact', () => {
  const ports = [
    { port: 8080, wantedMode: 'STRICT', effectiveMode: 'STRICT' },
    {
      port: 9090,
      wantedMode: 'STRICT',
      detail: 'what came before is draining until at most 2030-01-01T00:10:00Z',
    },
    { port: 0, wantedMode: 'PERMISSIVE', effectiveMode: 'PERMISSIVE' },
  ];
  expect(modesOf(MutualTlsStatus.fromPartial({ ports }))).toBe(
    '8080 STRICT, 9090 (STRICT: what came before is draining until at most 2030-01-01T00:10:00Z), other PERMISSIVE',
  );
});
