import { BlockList, isIP } from 'node:net';

export interface AddressPolicy {
  /** This machine's own services. */
  readonly allowLoopback: boolean;
  /** Networks that are not reached from everywhere: RFC 1918, shared space, unique-local. */
  readonly allowPrivate: boolean;
}

interface AddressClass {
  readonly name: string;
  readonly blocks: BlockList;
  readonly allowedBy?: keyof AddressPolicy;
}

function addressClass(
  name: string,
  blocks: readonly string[],
  allowedBy?: keyof AddressPolicy,
): AddressClass {
  const list = new BlockList();
  for (const block of blocks) {
    const [network = '', length] = block.split('/');
    list.addSubnet(network, Number(length), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  }
  return { name, blocks: list, ...(allowedBy === undefined ? {} : { allowedBy }) };
}

/** The first one that holds an address decides: a metadata service within a private network is none of its hosts. */
const classes: readonly AddressClass[] = [
  // Each cloud's own: all of them answer by HTTP, some by addresses that look public, or private.
  addressClass('a metadata service', [
    '169.254.169.254/32',
    'fd00:ec2::/32',
    'fd20:ce::/32',
    '100.100.100.200/32',
    '168.63.129.16/32',
  ]),
  addressClass('link-local', ['169.254.0.0/16', 'fe80::/10']),
  addressClass('loopback', ['127.0.0.0/8', '::1/128'], 'allowLoopback'),
  addressClass('unspecified', ['0.0.0.0/8', '::/128']),
  addressClass(
    'private',
    ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10'],
    'allowPrivate',
  ),
  addressClass('no host’s own', ['192.0.0.0/24', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4', 'ff00::/8']),
  // Here an IPv4 address is written within an IPv6 one, by which a gateway on the way may go on to it.
  addressClass('a translated address', ['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/32']),
];

/** All that is given to hosts of IPv6 (RFC 4291, 2.4), and what stands for IPv4. */
const { blocks: assigned } = addressClass('assigned', ['2000::/3', '::ffff:0:0/96']);

/**
 * What speaks against connecting to an address; undefined where nothing does. An IPv4 address mapped into IPv6 counts as
 * what it is mapped from.
 */
export function faultOfAddress(address: string, policy: AddressPolicy): string | undefined {
  const family = isIP(address);
  if (family === 0) return `${JSON.stringify(address)} is no address`;
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const found = classes.find(({ blocks }) => blocks.check(address, type));
  if (!found)
    return family === 4 || assigned.check(address, 'ipv6') ? undefined : `${address} is no host’s own`;
  if (found.allowedBy === undefined) return `${address} is ${found.name}`;
  return policy[found.allowedBy]
    ? undefined
    : `${address} is ${found.name}, which mesh.jwks.${found.allowedBy} would allow`;
}
