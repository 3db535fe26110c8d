import { CitadelError } from '../kernel/index.ts';
import { type Cidrs, parseCidrs } from './cidrs.ts';
import { covers, parsePort, parsePorts } from './ports.ts';
import type { AddressFamily, CaptureSettings } from './ruleset.ts';

/** As an operator writes them. */
export interface CaptureArguments {
  readonly inboundPort: string;
  readonly outboundPort: string;
  readonly user?: string | undefined;
  readonly group?: string | undefined;
  readonly families: string;
  readonly includeInboundPorts?: string | undefined;
  readonly excludeInboundPorts?: string | undefined;
  readonly includeOutboundPorts?: string | undefined;
  readonly excludeOutboundPorts?: string | undefined;
  readonly includeOutboundCidrs?: string | undefined;
  readonly excludeOutboundCidrs?: string | undefined;
}

const ssh = 22;
/** The one below 2^32 - 1, which stands for "none". */
const largestId = 4_294_967_294;

/** Nothing but numbers and addresses gets through to nft. @throws CitadelError OutOfRange that names the option */
export function captureSettings(given: CaptureArguments): CaptureSettings {
  const ports = (option: string, text: string | undefined) => optional(option, text, parsePorts);
  const settings: CaptureSettings = {
    inboundPort: named('--inbound-port', () => parsePort(given.inboundPort)),
    outboundPort: named('--outbound-port', () => parsePort(given.outboundPort)),
    users: optional('--user', given.user, parseIds) ?? [],
    groups: optional('--group', given.group, parseIds) ?? [],
    families: named('--families', () => parseFamilies(given.families)),
    includeInboundPorts: ports('--include-inbound-ports', given.includeInboundPorts),
    excludeInboundPorts: ports('--exclude-inbound-ports', given.excludeInboundPorts) ?? [],
    includeOutboundPorts: ports('--include-outbound-ports', given.includeOutboundPorts),
    excludeOutboundPorts: ports('--exclude-outbound-ports', given.excludeOutboundPorts) ?? [],
    includeOutboundCidrs: optional('--include-outbound-cidrs', given.includeOutboundCidrs, parseCidrs),
    excludeOutboundCidrs:
      optional('--exclude-outbound-cidrs', given.excludeOutboundCidrs, parseCidrs) ?? none,
  };
  if (settings.inboundPort === settings.outboundPort)
    throw new CitadelError('OutOfRange', '--inbound-port and --outbound-port must differ');
  if (settings.users.length + settings.groups.length === 0)
    throw new CitadelError(
      'OutOfRange',
      'the proxy needs a --user or --group of its own: what it sends itself must not be captured',
    );
  return withoutSsh(settings);
}

const none: Cidrs = { ipv4: [], ipv6: [] };

/** An operator who applies this from afar is not locked out, unless by naming the port. */
function withoutSsh(settings: CaptureSettings): CaptureSettings {
  const { includeInboundPorts, excludeInboundPorts } = settings;
  if (includeInboundPorts || covers(excludeInboundPorts, ssh)) return settings;
  return {
    ...settings,
    excludeInboundPorts: [{ from: ssh, to: ssh }, ...excludeInboundPorts].toSorted((a, b) => a.from - b.from),
  };
}

function parseIds(text: string): readonly number[] {
  return [...new Set(text.split(','))].map((part) => {
    const id = /^\d{1,10}$/.test(part.trim()) ? Number(part) : 0;
    // Root's own connections are those of half the machine.
    if (id < 1 || id > largestId)
      throw new CitadelError(
        'OutOfRange',
        `${JSON.stringify(part)} is not the number of a user or group of its own`,
      );
    return id;
  });
}

function parseFamilies(text: string): readonly AddressFamily[] {
  const families = new Set(text.split(',').map((part) => part.trim()));
  const known = (['ipv4', 'ipv6'] as const).filter((family) => families.has(family));
  if (known.length !== families.size)
    throw new CitadelError('OutOfRange', `${JSON.stringify(text)} is none of ipv4, ipv6 and ipv4,ipv6`);
  return known;
}

function optional<T>(option: string, text: string | undefined, parse: (text: string) => T): T | undefined {
  return text === undefined ? undefined : named(option, () => parse(text));
}

function named<T>(option: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof CitadelError) throw new CitadelError(error.code, `${option}: ${error.message}`);
    throw error;
  }
}
