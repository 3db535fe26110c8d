import { TrustDomain } from '@citadel/spiffe';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { dnsLabel, type PolicyWorld, readWorld } from '../domain/policy/index.ts';
import * as wire from '../gen/citadel/v1/operator.ts';
import { CitadelError, describeError, readTextFile } from '../kernel/index.ts';
import { type ConnectionOptions, connectOperator } from './connection.ts';
import { withConnection } from './options.ts';

/** Where a command takes the world from: a file, a registry's directory, or a server that runs. */
export interface WorldOptions extends ConnectionOptions {
  readonly world?: string;
  readonly registry?: string;
  readonly trustDomain: string;
  readonly trustDomainAlias: readonly string[];
  readonly rootNamespace: string;
  readonly authorizationProvider: readonly string[];
}

/** Of some ten thousand workloads and policies. */
const largestWorld = 256 * 1024 * 1024;

const several = (text: string, before: readonly string[]) => [...before, text];
const aliases = (text: string, before: readonly string[]) => [...before, trustDomain(text)];

function trustDomain(text: string): string {
  try {
    return TrustDomain.parse(text).toString();
  } catch (error) {
    throw new InvalidArgumentError(describeError(error));
  }
}

function namespace(text: string): string {
  if (dnsLabel.test(text)) return text;
  throw new InvalidArgumentError('must be a name of lower-case letters, digits and - (RFC 1123)');
}

/** Options of every command that has to know who is there. */
export function withWorld(command: Command): Command {
  return withConnection(
    command
      .addOption(
        new Option(
          '--world <file>',
          'what is there, as citadel policy world wrote it; asks no server',
        ).conflicts('registry'),
      )
      .option('--registry <directory>', 'workloads, services and policies in files; asks no server')
      .option('--trust-domain <name>', 'with --registry', trustDomain, 'cluster.local')
      .option('--trust-domain-alias <name>', 'with --registry; may be given again', aliases, [])
      .option('--root-namespace <name>', 'with --registry', namespace, 'istio-system')
      .option('--authorization-provider <name>', 'with --registry; may be given again', several, []),
  );
}

/** The world that somebody named, or that has to be known; else undefined. @throws CitadelError as loadWorld does */
export async function givenWorld(options: WorldOptions, isNeeded = false): Promise<PolicyWorld | undefined> {
  const { world, registry, server, socket } = options;
  const isGiven = [world, registry, server, socket].some((each) => each !== undefined);
  return isGiven || isNeeded ? loadWorld(options) : undefined;
}

/** @throws CitadelError where it cannot be had whole */
export async function loadWorld(options: WorldOptions): Promise<PolicyWorld> {
  if (options.world !== undefined)
    return readWorld(readTextFile(options.world, 'world', largestWorld), options.world);
  if (options.registry !== undefined) {
    const { worldOfRegistry } = await import('../app/policy-world.ts');
    return worldOfRegistry(options.registry, {
      trustDomain: options.trustDomain,
      trustDomainAliases: options.trustDomainAlias,
      rootNamespace: options.rootNamespace,
      authorizationProviders: options.authorizationProvider.map((name) => ({ name })),
    });
  }
  return worldOfServer(options);
}

/** What holds now at a running server. @throws CitadelError where it has no control plane, or does not know yet */
export async function worldOfServer(options: ConnectionOptions): Promise<PolicyWorld> {
  return readWorld(await downloadWorld(options), 'the server');
}

/** The world of a running server, as JSON. */
async function downloadWorld(options: ConnectionOptions): Promise<string> {
  const connection = connectOperator(options);
  try {
    const parts: Buffer[] = [];
    let length = 0;
    for await (const { chunk } of connection.download(wire.OperatorServiceService.getPolicyWorld, {})) {
      length += chunk.length;
      if (length > largestWorld)
        throw new CitadelError('ResourceExhausted', `the world is larger than ${largestWorld} bytes`);
      parts.push(chunk);
    }
    return Buffer.concat(parts).toString('utf8');
  } finally {
    connection.close();
  }
}
