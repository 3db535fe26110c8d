import type { OperatorCaller, OperatorMethod } from '../../domain/operators/index.ts';
import type { Secret } from '../../kernel/index.ts';

/** A call, read and let in. */
export interface ConsoleCall {
  readonly body: unknown;
  /** What stands in the place of the route's `*`. */
  readonly names: readonly string[];
  readonly session: Secret<string> | undefined;
  readonly clientCertificate: Uint8Array | undefined;
  readonly redirectUri: string;
  /** Aborted when nobody waits for the reply any more. */
  readonly signal: AbortSignal;
}

export interface ConsoleReply {
  readonly body: object;
  readonly cookies?: readonly string[];
}

/** Who calls, where the route asks for a role. */
export interface Admitted {
  readonly caller: OperatorCaller;
  readonly endsAt: Date;
}

interface Open {
  readonly needs: 'nobody';
  /** Bounded by itself, for anybody may ask. */
  readonly signsIn: boolean;
  answer(call: ConsoleCall): Promise<ConsoleReply> | ConsoleReply;
}

export interface Closed {
  readonly needs: OperatorMethod;
  answer(call: ConsoleCall, admitted: Admitted): Promise<ConsoleReply> | ConsoleReply;
}

export type ConsoleRoute = { readonly route: string } & (Open | Closed);

const nameForm = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

/** @param path below /console/api/ @returns the route, with what stands for its `*`; `method` where only that is another */
export function findRoute(
  routes: readonly ConsoleRoute[],
  method: string | undefined,
  path: string,
): { readonly route: ConsoleRoute; readonly names: readonly string[] } | 'method' | undefined {
  const segments = path.split('/');
  let others = false;
  for (const route of routes) {
    const [wanted, form = ''] = route.route.split(' ');
    const parts = form.split('/');
    const matches =
      parts.length === segments.length &&
      parts.every((part, index) =>
        part === '*' ? nameForm.test(segments[index] ?? '') : part === segments[index],
      );
    if (!matches) continue;
    if (wanted === method) return { route, names: segments.filter((_, index) => parts[index] === '*') };
    others = true;
  }
  return others ? 'method' : undefined;
}
