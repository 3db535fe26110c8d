import { parseArgs } from 'node:util';
import { measureFleet } from './fleet.ts';
import { measureStartUp } from './start-up.ts';

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '1000' },
    services: { type: 'string', default: '100' },
    short: { type: 'boolean', default: false },
  },
});
const streams = Number(values.streams);
const services = Number(values.services);
const { short } = values;
if (!(streams >= 2 && streams <= 20_000 && services >= 2 && services <= 10_000)) {
  console.error('usage: bench-xds [--streams 2..20000] [--services 2..10000] [--short]');
  process.exit(2);
}
for (const mode of ['explicit', 'capture'] as const)
  await measureFleet({ workloads: streams, services, policies: services, mode }, { short });
const large = short ? 50 : 1000;
await measureStartUp({ workloads: 5 * large, services: large, policies: large, mode: 'capture' });
