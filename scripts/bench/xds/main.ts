import { parseArgs } from 'node:util';
import { measureFleet } from './fleet.ts';
import { measureFloor } from './floor.ts';
import { measureReconnects } from './reconnect.ts';
import { measureStartUp } from './start-up.ts';

const sections = ['floor', 'explicit', 'capture', 'reconnect', 'start'] as const;
type Section = (typeof sections)[number];
const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '1000' },
    services: { type: 'string', default: '100' },
    sections: { type: 'string', default: sections.join(',') },
    short: { type: 'boolean', default: false },
  },
});
const [streams, services] = [Number(values.streams), Number(values.services)];
const chosen = values.sections.split(',');
const isSection = (name: string): name is Section => sections.some((each) => each === name);
if (
  !(streams >= 2 && streams <= 20_000 && services >= 2 && services <= 10_000) ||
  !chosen.every((name) => isSection(name))
) {
  console.error(
    `usage: bench-xds [--streams 2..20000] [--services 2..10000] [--sections ${sections.join(',')}] [--short]`,
  );
  process.exit(2);
}

const large = values.short ? 50 : 1000;
const run: Readonly<Record<Section, () => Promise<void>>> = {
  floor: () => measureFloor({ workloads: streams, services, policies: services, mode: 'explicit' }),
  explicit: () =>
    measureFleet({ workloads: streams, services, policies: services, mode: 'explicit' }, values),
  capture: () => measureFleet({ workloads: streams, services, policies: services, mode: 'capture' }, values),
  reconnect: () =>
    measureReconnects({ workloads: streams, services, policies: services, mode: 'explicit' }, values),
  start: () => measureStartUp({ workloads: 5 * large, services: large, policies: large, mode: 'capture' }),
};
for (const section of sections.filter((each) => chosen.includes(each))) await run[section]();
