import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type Claims,
  checkedCall,
  type GivenCall,
  type GivenToken,
  type PolicyWorld,
  type Verdict,
} from '../../domain/policy/index.ts';
import { CitadelError, readTextFile, standardInput } from '../../kernel/index.ts';

/** What of a call an author can say. */
export interface CallOptions {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly header: readonly (readonly [name: string, value: string])[];
  readonly withoutHeader: readonly string[];
  readonly jwt?: string;
  readonly ip?: string;
  readonly remoteIp?: string;
  readonly destinationIp?: string;
  readonly sni?: string;
  readonly custom: readonly (readonly [provider: string, verdict: Verdict])[];
  readonly transport?: 'plaintext' | 'mtls';
  readonly complete?: boolean;
}

/** What a proxy tells of a denial, so that nobody else says it. */
export const recordedOptions: readonly (keyof CallOptions)[] = [
  'method',
  'path',
  'host',
  'ip',
  'remoteIp',
  'destinationIp',
  'sni',
  'transport',
];

const largestToken = 64 * 1024;

export function withCall(command: Command): Command {
  return command
    .option('--method <method>', 'of the request')
    .option('--path <path>', 'as it is sent, with its query')
    .option('--host <host>', 'as it is sent')
    .addOption(
      new Option('--header <name=value>', 'a header; may be given again')
        .argParser(header)
        .default([], 'none'),
    )
    .addOption(
      new Option('--without-header <name>', 'a header that is not there; may be given again')
        .argParser((name, before: readonly string[]) => [...before, name])
        .default([], 'none'),
    )
    .option(
      '--jwt <token>',
      'its token: claims as JSON, a file with them or with the token, - for standard input, or none',
    )
    .option('--ip <address>', 'of the connection; default: the caller’s in the registry')
    .option('--remote-ip <address>', 'of the original client')
    .option('--destination-ip <address>', 'that is called; default: the callee’s in the registry')
    .option('--sni <name>', 'the server’s name in TLS; "" for none')
    .addOption(
      new Option('--custom <provider=verdict>', 'what an authorizer says: allow or deny; may be given again')
        .argParser(answer)
        .default([], 'not said'),
    )
    .addOption(
      new Option('--transport <kind>', 'how it is called; default: as the registry tells').choices([
        'plaintext',
        'mtls',
      ]),
    )
    .option('--complete', 'the request has no other header and no token but those given');
}

function header(text: string, before: CallOptions['header']): CallOptions['header'] {
  return [...before, pair(text, 'x-client=v2')];
}

function answer(text: string, before: CallOptions['custom']): CallOptions['custom'] {
  const [provider, verdict] = pair(text, 'asker=deny');
  if (verdict !== 'allow' && verdict !== 'deny')
    throw new InvalidArgumentError('an authorizer says allow or deny');
  return [...before, [provider, verdict]];
}

function pair(text: string, example: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError(`write it as ${example}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** @throws CitadelError OutOfRange for an authorizer that nobody has configured, and for what no client can send */
export function givenCall(options: CallOptions, { settings }: PolicyWorld): GivenCall {
  const { complete = false, method, path, host, ip, remoteIp, destinationIp, sni, transport } = options;
  const known = settings.authorizationProviders.map(({ name }) => name);
  for (const [name] of options.custom)
    if (!known.includes(name))
      throw new CitadelError(
        'OutOfRange',
        `there is no authorizer ${name}; there is ${known.join(', ') || 'none'}`,
      );
  return checkedCall({
    transport,
    method,
    path,
    withQuery: true,
    host,
    headers: headersOf(options),
    noOtherHeaders: complete,
    token: tokenOf(options.jwt, complete),
    sourceIp: ip,
    remoteIp,
    destinationIp,
    sni,
    answers: new Map(options.custom),
  });
}

function headersOf({ header: given, withoutHeader }: CallOptions): GivenCall['headers'] {
  const headers = new Map<string, readonly string[]>(withoutHeader.map((name) => [name.toLowerCase(), []]));
  for (const [name, value] of given)
    headers.set(name.toLowerCase(), [...(headers.get(name.toLowerCase()) ?? []), value]);
  return Object.fromEntries(headers);
}

function tokenOf(given: string | undefined, complete: boolean): GivenToken {
  if (given === undefined) return complete ? 'none' : 'unknown';
  if (given === 'none') return 'none';
  if (given.trimStart().startsWith('{')) return claimsOf(given);
  const text = readTextFile(given === '-' ? standardInput : given, 'token', largestToken).trim();
  if (text.startsWith('{')) return claimsOf(text);
  const [, payload, signature, ...more] = text.split('.');
  if (payload === undefined || signature === undefined || more.length > 0) throw noToken();
  return claimsOf(Buffer.from(payload, 'base64url').toString('utf8'));
}

function claimsOf(text: string): Claims {
  try {
    const claims: unknown = JSON.parse(text);
    // Whatever JSON has is a claim.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return claims as Claims;
  } catch {
    // Its text may be in the parser's message, and is not told.
  }
  throw noToken();
}

function noToken(): CitadelError {
  return new CitadelError('InvalidArgument', 'the token is neither a JWT nor a JSON object of claims');
}
