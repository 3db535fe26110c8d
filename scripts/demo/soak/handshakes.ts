import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../../../src/kernel/index.ts';
import type { Random } from '../../../test/oracle/generate/random.ts';
import type { FleetAgent } from '../../../test/support/fleet/index.ts';
import { clientHandshake, pairHandshake } from '../../../test/support/openssl-handshake.ts';
import { call } from '../call.ts';
import { say } from '../say.ts';
import { type FleetEnvoy, spiffeIdOf } from './envoys.ts';

const get = 'GET /x HTTP/1.1\r\nhost: orders\r\nconnection: close\r\n\r\n';
const together = 4;
/** A machine that is busy with a fleet may be slow; that is no refusal. */
const patience = 60_000;
const mostTold = 50;

/** Full handshakes between pairs of the fleet, drawn anew at each step; each is verified by both of its ends. */
export class Handshakes {
  count = 0;
  failures = 0;
  readonly #agents: readonly FleetAgent[];
  readonly #envoys: readonly FleetEnvoy[];
  readonly #directory: string;
  readonly #random: Random;

  constructor(
    agents: readonly FleetAgent[],
    envoys: readonly FleetEnvoy[],
    directory: string,
    random: Random,
  ) {
    this.#agents = agents;
    this.#envoys = envoys;
    this.#directory = join(directory, 'handshakes');
    this.#random = random;
  }

  /** So many of each kind. @param step for the account of a failure */
  async sample(step: string, pairs: number): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const drawn = Array.from({ length: pairs }, () => [
      this.#agentToAgent(),
      this.#agentToEnvoy(),
      this.#envoyToEnvoy(),
    ]).flat();
    const left = drawn.values();
    await Promise.all(
      Array.from({ length: together }, async () => {
        for (const { what, run } of left) {
          this.count += 1;
          await run().catch((error: unknown) => this.fail(step, `${what}: ${describeError(error)}`));
        }
      }),
    );
  }

  /** Counts something that should not be, and says it. */
  fail(step: string, what: string): void {
    this.failures += 1;
    if (this.failures <= mostTold) say(`   failure: ${step}: ${what}`);
  }

  /** OpenSSL at both ends. */
  #agentToAgent(): Drawn {
    const [caller, callee] = [this.#agent(), this.#agent()];
    return {
      what: `${caller.name} to ${callee.name}`,
      run: () => pairHandshake(this.#directory, caller.snapshot, callee.snapshot),
    };
  }

  /** OpenSSL verifies the Envoy; the Envoy verifies the agent, and says whom it saw. */
  #agentToEnvoy(): Drawn {
    const [caller, callee] = [this.#agent(), this.#random.pick(this.#envoys)];
    return {
      what: `${caller.name} to the Envoy of ${callee.agent.name}`,
      run: async () => {
        const { snapshot } = caller;
        const seen = new RegExp(`^x-client-id: ${spiffeIdOf(snapshot).replaceAll('.', '\\.')}\\s*$`);
        await clientHandshake(this.#directory, snapshot, callee.inbound, get, seen);
      },
    };
  }

  #envoyToEnvoy(): Drawn {
    const { agent, egress } = this.#random.pick(this.#envoys);
    return {
      what: `the Envoy of ${agent.name} to the next`,
      run: async () => {
        const { status, body, headers } = await call(egress, '/x', patience);
        if (status !== 200) throw new Error(`${status} ${body}`);
        if (headers['x-client-id'] !== spiffeIdOf(agent.snapshot))
          throw new Error(`it was seen as ${headers['x-client-id']}`);
      },
    };
  }

  /** One that holds a certificate: who is being restarted has none yet. */
  #agent(): FleetAgent {
    return this.#random.pick(this.#agents.filter(({ snapshot }) => snapshot?.identity));
  }
}

interface Drawn {
  readonly what: string;
  readonly run: () => Promise<void>;
}
