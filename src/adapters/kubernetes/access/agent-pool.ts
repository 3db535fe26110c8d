import { createHash } from 'node:crypto';
import { Agent, type AgentOptions } from 'node:https';

type Material = Pick<
  AgentOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'rejectUnauthorized' | 'servername'
>;

/**
 * Keeps one agent, so that connections are reused, for as long as the TLS material stays the same; a rotated CA or
 * client certificate gets a new one.
 */
export class AgentPool {
  #digest: string | undefined;
  #agent: Agent | undefined;

  get(material: Material): Agent {
    const digest = digestOf(material);
    if (this.#agent === undefined || digest !== this.#digest) {
      this.close();
      this.#agent = new Agent({ ...material, keepAlive: true, minVersion: 'TLSv1.2' });
      this.#digest = digest;
    }
    return this.#agent;
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }
}

function digestOf(material: Material): string {
  return createHash('sha256').update(JSON.stringify(material)).digest('hex');
}
