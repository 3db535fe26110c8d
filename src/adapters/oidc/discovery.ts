import { CitadelError, type Clock } from '../../kernel/index.ts';
import { readAnswer } from './bounded-fetch.ts';

/** Where a provider is asked. */
export interface Endpoints {
  readonly authorization: string;
  readonly token: string;
}

const deadline = 5_000;
const largestDocument = 256 * 1024;
const lifetime = 600_000;

/**
 * OpenID Connect Discovery 1.0, section 4: read at the first sign-in, and again after ten minutes. What cannot be read is
 * asked for again at the next one.
 * @throws CitadelError Unavailable
 */
export function createDiscovery(issuer: string, clock: Clock): () => Promise<Endpoints> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  let known: { readonly endpoints: Endpoints; readonly until: number } | undefined;
  return async () => {
    const now = clock.now().getTime();
    if (known && now < known.until) return known.endpoints;
    try {
      const response = await fetch(url, {
        headers: { accept: 'application/json' },
        redirect: 'error',
        signal: AbortSignal.timeout(deadline),
      });
      const document: unknown = JSON.parse(
        (await readAnswer(response, url, largestDocument)).toString('utf8'),
      );
      known = { endpoints: readEndpoints(document, issuer), until: now + lifetime };
      return known.endpoints;
    } catch (cause) {
      throw new CitadelError('Unavailable', 'the identity provider cannot be asked; try again', { cause });
    }
  };
}

/** Endpoints are as well protected as the issuer is: by TLS, unless it does without itself. */
function readEndpoints(document: unknown, issuer: string): Endpoints {
  const text = (name: string): string => {
    const value: unknown =
      typeof document === 'object' && document !== null ? Reflect.get(document, name) : undefined;
    if (typeof value !== 'string') throw new Error(`${name} is missing`);
    return value;
  };
  const endpoint = (name: string): string => {
    const url = new URL(text(name));
    if (url.protocol !== 'https:' && url.protocol !== new URL(issuer).protocol)
      throw new Error(`${name} is not https`);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new Error(`${name} is no web address`);
    return url.href;
  };
  if (text('issuer') !== issuer) throw new Error('the document is of another issuer');
  return { authorization: endpoint('authorization_endpoint'), token: endpoint('token_endpoint') };
}
