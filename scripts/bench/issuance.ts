import { parseArgs } from 'node:util';
import { grpcIssuance } from './grpc.ts';
import { inProcess } from './in-process.ts';
import { residentMemory } from './memory.ts';
import { recordedIssuance } from './recorded.ts';

/** Each section prints its own table; `seconds` is what each side of it may take. */
const sections: readonly ((seconds: number) => Promise<void>)[] = [
  inProcess,
  recordedIssuance,
  grpcIssuance,
  residentMemory,
];

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '5' } } });
const seconds = Number(values.seconds);
if (!(seconds >= 1 && seconds <= 600)) {
  console.error('usage: bench-issuance [--seconds 1..600]');
  process.exit(2);
}
for (const section of sections) await section(seconds);
