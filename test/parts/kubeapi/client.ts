import { Agent } from 'node:https';
import { z } from 'zod';
import { exchange, type HttpReply, HttpStatusError } from '../http.ts';
import { waitFor } from '../wait-for.ts';
import type { KubeApiAddress } from './server.ts';

/** What every Kubernetes object has; its other fields are there too. */
export const kubeObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
});

export type KubeObject = z.infer<typeof kubeObject>;

export interface KubeRequestOptions {
  /** `application/json` by default. */
  readonly contentType?: string;
  /** Another caller than this client's own. */
  readonly token?: string;
}

/** Plain HTTPS calls to one API server as one caller. */
export class KubeClient implements Disposable {
  readonly #address: KubeApiAddress;
  readonly #agent: Agent;

  constructor(address: KubeApiAddress) {
    this.#address = address;
    this.#agent = new Agent({ ca: address.caPem, keepAlive: true });
  }

  /**
   * Gives the parsed JSON; throws HttpStatusError on a status of 400 or above. A 429 is tried again: a server whose CRDs
   * have just changed says so for a moment.
   */
  async request(
    method: string,
    path: string,
    body?: unknown,
    options: KubeRequestOptions = {},
  ): Promise<unknown> {
    const reply = await waitFor(
      async () => {
        const answer = await this.send(method, path, body, options);
        return answer.status === 429 ? undefined : answer;
      },
      { what: `${method} ${path} to be let in`, interval: 200 },
    );
    if (reply.status >= 400) throw new HttpStatusError(`kube-apiserver ${method} ${path}`, reply);
    return JSON.parse(reply.body) as unknown;
  }

  /** One call; any status is an answer. */
  async send(
    method: string,
    path: string,
    body: unknown,
    options: KubeRequestOptions = {},
  ): Promise<HttpReply> {
    const { contentType = 'application/json', token = this.#address.adminToken } = options;
    return await exchange(`${this.#address.server}${path}`, {
      method,
      agent: this.#agent,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
