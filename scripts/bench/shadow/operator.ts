import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { OperatorServiceClient, type PolicyShadow } from '../../../src/gen/citadel/v1/operator.ts';
import { waitFor } from '../../../test/parts/index.ts';

/** The operator's API of a server on this machine, as far as a candidate needs it. */
export class Operator implements Disposable {
  readonly #client: OperatorServiceClient;

  constructor(directory: string) {
    this.#client = new OperatorServiceClient(
      `unix:${join(directory, 'operator.sock')}`,
      credentials.createInsecure(),
    );
  }

  async apply(text: string, how: { readonly shadow: boolean; readonly revision: bigint }): Promise<bigint> {
    const { revision } = await answer<{ readonly revision: bigint }>((done) =>
      this.#client.applyPolicies(
        {
          expectedRevision: how.revision,
          shadow: how.shadow,
          texts: [{ source: 'bench', text }],
          remove: [],
          restore: undefined,
          dryRun: false,
          reason: 'bench',
        },
        done,
      ),
    );
    return revision;
  }

  async shadow(): Promise<PolicyShadow | undefined> {
    const { shadow } = await answer<{ readonly shadow?: PolicyShadow | undefined }>((done) =>
      this.#client.getPolicyShadow({}, done),
    );
    return shadow;
  }

  /** Until the proxies have it. */
  async taken(): Promise<void> {
    await waitFor(async () => (await this.shadow())?.workloads[0]?.standing === 'current', {
      what: 'the proxy to have the candidate',
      deadline: 60_000,
    });
  }

  async revert(): Promise<void> {
    const { id } = (await this.shadow()) ?? {};
    if (id === undefined) return;
    await answer((done) => this.#client.revertPolicyShadow({ id, reason: 'bench' }, done));
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function answer<R>(call: (done: (error: Error | null, response: R) => void) => unknown): Promise<R> {
  return new Promise((resolve, reject) =>
    call((error, response) => (error ? reject(error) : resolve(response))),
  );
}
