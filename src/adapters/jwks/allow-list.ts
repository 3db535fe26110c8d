/** What may be asked: hosts that the operator names, by the schemes that he allows. */
export interface HostPolicy {
  /** `HOST`, `HOST:PORT`, `*.DOMAIN` for every name below a domain; without a port the scheme's own. */
  readonly allow: readonly string[];
  /** For development alone: whoever is on the way could give any keys. */
  readonly allowHttp: boolean;
}

/** What speaks against asking at a URL; undefined where nothing does. */
export function faultOfUrl(url: URL, { allow, allowHttp }: HostPolicy): string | undefined {
  const { protocol, hostname, port, username, password } = url;
  if (protocol !== 'https:' && protocol !== 'http:') return `${protocol}// is no way to fetch keys`;
  if (protocol === 'http:' && !allowHttp) return 'only https can be trusted for keys';
  if (username !== '' || password !== '') return 'the address must hold no password';
  const allowed = allow.some((entry) => {
    const [, host = '', ownPort = ''] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    // An address of IPv6 stands in brackets, here and there.
    const samePort = port === (isDefault(protocol, ownPort) ? '' : ownPort);
    return samePort && (host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host);
  });
  return allowed ? undefined : `${url.host} is none of mesh.jwks.allow`;
}

function isDefault(protocol: string, port: string): boolean {
  return port === (protocol === 'https:' ? '443' : '80');
}
