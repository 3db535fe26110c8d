import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import type { Policy, PolicyRequest, RequestAuthentication } from '../../../src/domain/policy/index.ts';
import { Listener } from '../../../src/gen/envoy/config/listener/v3/listener.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { startAuthorizers } from '../../oracle/authorizers.ts';
import { type Credentials, closed, exchangeAll, open, type RawRequest } from '../../oracle/client.ts';
import { words } from '../../oracle/generate/index.ts';
import { httpFilter, setHeader } from '../../oracle/http-listener.ts';
import { exchangeAllHttp2 } from '../../oracle/http2-client.ts';
import { metadataFields } from '../../oracle/left-metadata.ts';
import { httpListener, tcpAddress, tcpListener } from '../../oracle/listeners.ts';
import { discoveryFile, packed } from '../../oracle/messages.ts';
import { ours } from '../../oracle/rendering.ts';
import { attempt } from '../../oracle/tcp-pairs.ts';
import { token } from '../../oracle/world.ts';
import { startEnvoy, temporaryDirectory } from '../../parts/index.ts';
import { needsHttp2 } from './sendable.ts';

export interface Ports {
  readonly http: number;
  readonly tcp: number;
}

/** A request, and by which of several sets of policies it is to be decided. */
export interface Question {
  readonly set: number;
  readonly request: PolicyRequest;
  /** Where it is sent, if that is not the port for what it is: a request to where bytes are read, or the contrary. */
  readonly to?: keyof Ports;
}

export interface Asker extends AsyncDisposable {
  /** Whether a real Envoy that these sets were rendered for lets each of the requests in, in their order. */
  ask(
    sets: readonly (readonly Policy[])[],
    questions: readonly Question[],
    ports: Ports,
  ): Promise<readonly boolean[]>;
}

/** Takes every token that our key has signed, whoever is said to have issued it. */
export const authentication: RequestAuthentication = {
  kind: 'RequestAuthentication',
  meta: { namespace: 'shop', name: 'tokens', generation: 1, origin: { source: 'T' } },
  selector: undefined,
  targetRefs: [],
  jwtRules: [
    {
      issuer: undefined,
      audiences: [],
      jwks: undefined,
      jwksUri: undefined,
      fromHeaders: [],
      fromParams: [],
      fromCookies: [],
      outputPayloadToHeader: undefined,
      outputClaimToHeaders: [],
      forwardOriginalToken: false,
      timeout: 5000,
      spaceDelimitedClaims: [],
    },
  ],
};

/** Whether a proxy that reads HTTP says by itself that these bytes are none. */
async function isAnsweredAsNoRequest(socket: Socket): Promise<boolean> {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('end', () => socket.destroy());
  socket.write('hello, is anybody there?\r\n\r\n');
  await closed(socket);
  return /^HTTP\/1\.1 400 .*\r\ncontent-length: 11\r\n/s.test(text);
}

/** Callers, tokens and authorizers as the questions need them. */
export async function createAsker(): Promise<Asker> {
  const authority = await TestAuthority.create(words.trustDomain);
  const leaf = async (uri: string): Promise<Credentials> => {
    const { keyPem, chainPem } = await authority.issueServing({ uris: [uri] });
    return { keyPem, chainPem: chainPem.join('') };
  };
  const server = await leaf(`spiffe://${words.trustDomain}/ns/shop/sa/cart`);
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwks = JSON.stringify({
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256' }],
  });
  const authorizers = await startAuthorizers();
  const tls = { certificatePem: server.chainPem, keyPem: server.keyPem, rootPem: authority.rootPem };
  const leaves = new Map<string, Promise<Credentials>>();
  const leafOf = (id: string) => {
    const known = leaves.get(id) ?? leaf(id);
    leaves.set(id, known);
    return known;
  };

  async function isLetIn({ set, request, to }: Question, ports: Ports): Promise<boolean> {
    const { http, sourcePrincipal, sourceIp, destinationIp, sni } = request;
    const isOdd = http !== undefined && needsHttp2(http.method);
    const isRead = (to ?? (http ? 'http' : 'tcp')) === 'http';
    const connection = {
      tls: sourcePrincipal !== undefined || (sni !== undefined && sni !== ''),
      http: isOdd ? ('HTTP/2' as const) : ('HTTP/1.1' as const),
      identity: sourcePrincipal,
      sni: sni === '' ? undefined : sni,
      sourceIp,
      destinationIp: isRead ? destinationIp : tcpAddress(set),
      port: isRead ? ports.http : ports.tcp,
    };
    const credentials = sourcePrincipal === undefined ? undefined : await leafOf(sourcePrincipal);
    if (!isRead) {
      const bytes = http && `${http.method} ${http.path} HTTP/1.1\r\nHost: ${http.host}\r\n\r\n`;
      return (await attempt(await open(connection, credentials), bytes)).allowed;
    }
    if (!http) return !(await isAnsweredAsNoRequest(await open(connection, credentials)));
    const exchange = isOdd ? exchangeAllHttp2 : exchangeAll;
    const [reply] = await exchange(() => open(connection, credentials), [rawRequest({ set, request }, http)]);
    return reply?.status === 200;
  }

  function rawRequest({ set, request }: Question, http: NonNullable<PolicyRequest['http']>): RawRequest {
    const { jwt, metadata, remoteIp, sourceIp } = request;
    const text = jwt && token({ alg: 'RS256', kid: 'one' }, jwt, privateKey);
    return {
      method: http.method,
      path: http.path,
      host: http.host,
      otherHost: undefined,
      headers: [
        [setHeader, String(set)],
        ...Object.entries(http.headers).flatMap(([name, values]) =>
          values.map((value) => [name, value] as const),
        ),
        ...metadataFields(metadata?.[words.metadataFilter] ?? {}),
        ...(remoteIp === sourceIp ? [] : [['x-forwarded-for', remoteIp] as const]),
        ...(text === undefined ? [] : [['authorization', `Bearer ${text}`] as const]),
      ],
    };
  }

  return {
    async ask(sets, questions, ports) {
      const context = {
        trustDomain: words.trustDomain,
        trustDomainAliases: words.trustDomainAliases,
        providers: authorizers.providers,
        providerCluster: ({ name }: { readonly name: string }) => name,
      };
      await using directory = await temporaryDirectory('exact');
      const filter = httpFilter({
        sets,
        authentication: [authentication],
        jwksOf: () => jwks,
        context,
        rendering: ours,
      });
      const sides = sets.map((policies, index) => ({
        address: tcpAddress(index),
        filters: ours.network(policies, context),
      }));
      const listeners = [
        httpListener(ports.http, filter, tls),
        tcpListener(ports.tcp, sides, tls, directory.join('tcp.log')),
      ].map((listener) => packed('envoy.config.listener.v3.Listener', Listener, listener));
      await writeFile(directory.join('listeners.pb'), discoveryFile(listeners));
      await using envoy = await startEnvoy({
        logLevel: 'warning',
        bootstrap: {
          node: { id: 'exact', cluster: 'exact' },
          static_resources: { clusters: authorizers.clusters, listeners: authorizers.listeners },
          dynamic_resources: { lds_config: { path_config_source: { path: directory.join('listeners.pb') } } },
        },
      });
      await envoy.waitLive();
      await envoy.listenerPort(`http-${ports.http}`);
      await envoy.listenerPort(`tcp-${ports.tcp}`);
      const answers: boolean[] = [];
      const left = questions.entries();
      const worker = async () => {
        for (const [at, question] of left) answers[at] = await isLetIn(question, ports);
      };
      await Promise.all(Array.from({ length: 8 }, worker));
      return answers;
    },
    [Symbol.asyncDispose]: () => authorizers[Symbol.asyncDispose](),
  };
}
