import type { BrowserSessions, OperatorCaller, OperatorMethod } from '../../domain/operators/index.ts';
import type { PolicyAnalysis } from '../../domain/ports/index.ts';
import type { Secret } from '../../kernel/index.ts';
import type { ConsoleSignIn, ConsoleWhoAmI } from '../../wire/console.ts';
import { whatIsReached, whoMayCall } from './access.ts';
import { writeCookie } from './cookies.ts';
import { diffChange } from './diff.ts';
import { explainQuestion } from './explain.ts';
import {
  readApply,
  readChange,
  readNothing,
  readQuestion,
  readReplay,
  readText,
  readWhat,
  readWho,
} from './input.ts';
import { Latest } from './latest.ts';
import {
  applyChange,
  type ConsolePolicyServices,
  formatText,
  getPolicy,
  listPolicies,
  planChange,
  summarizeWorld,
} from './policies.ts';
import { type ConsoleRecordServices, replayChange } from './replay.ts';
import { Share } from './share.ts';

export interface ConsoleServices extends ConsolePolicyServices, ConsoleRecordServices {
  readonly sessions: BrowserSessions;
  readonly trustDomain: string;
  readonly version: string;
  readonly analysis: PolicyAnalysis;
  readonly now: () => Date;
}

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

interface Closed {
  readonly needs: OperatorMethod;
  answer(call: ConsoleCall, admitted: Admitted): Promise<ConsoleReply> | ConsoleReply;
}

export type ConsoleRoute = { readonly route: string } & (Open | Closed);

/** Every call of the console, and what it asks of its caller: by the methods of the operator API, one table for both. */
export function consoleRoutes(services: ConsoleServices): readonly ConsoleRoute[] {
  const { sessions } = services;
  const latest = new Latest();
  const share = new Share(() => performance.now());
  return [
    {
      route: 'GET sign-in',
      needs: 'nobody',
      signsIn: false,
      answer: () => ({ body: sessions.ways satisfies ConsoleSignIn }),
    },
    {
      route: 'POST sign-in/oidc',
      needs: 'nobody',
      signsIn: true,
      async answer({ body, redirectUri }) {
        readNothing(body);
        const { location, token } = await sessions.beginSignIn(redirectUri);
        return { body: { location }, cookies: [writeCookie('signIn', token)] };
      },
    },
    {
      route: 'POST sign-in/certificate',
      needs: 'nobody',
      signsIn: true,
      async answer({ body, clientCertificate, session }) {
        readNothing(body);
        const { token } = await sessions.signInByCertificate(clientCertificate);
        if (session) await sessions.signOut(session);
        return { body: {}, cookies: [writeCookie('session', token)] };
      },
    },
    {
      route: 'POST sign-out',
      needs: 'nobody',
      signsIn: false,
      async answer({ body, session }) {
        readNothing(body);
        if (session) await sessions.signOut(session);
        return { body: {}, cookies: [writeCookie('session', undefined)] };
      },
    },
    {
      route: 'GET whoami',
      needs: 'whoAmI',
      answer: (_, { caller, endsAt }) => ({
        body: {
          subject: caller.subject,
          proof: caller.proof,
          role: caller.effectiveRole,
          endsAt: endsAt.toISOString(),
          trustDomain: services.trustDomain,
          version: services.version,
        } satisfies ConsoleWhoAmI,
      }),
    },
    { route: 'GET world', needs: 'getPolicyWorld', answer: () => ({ body: summarizeWorld(services) }) },
    { route: 'GET policies', needs: 'listPolicies', answer: () => ({ body: listPolicies(services) }) },
    {
      route: 'GET policies/*/*/*',
      needs: 'listPolicies',
      answer: ({ names: [kind = '', namespace = '', name = ''] }) => ({
        body: getPolicy(services, { kind, namespace, name }),
      }),
    },
    {
      route: 'POST format',
      needs: 'listPolicies',
      answer: ({ body }, { caller }) =>
        share.run(caller.subject, () => ({ body: formatText(readText(body)) })),
    },
    {
      route: 'POST plan',
      needs: 'listPolicies',
      answer: ({ body }, { caller }) =>
        share.run(caller.subject, async () => ({ body: await planChange(services, readChange(body)) })),
    },
    {
      route: 'POST explain',
      needs: 'getPolicyWorld',
      answer: ({ body }, { caller }) =>
        share.run(caller.subject, () => ({
          body: explainQuestion(services, readQuestion(body), services.now()),
        })),
    },
    {
      route: 'POST diff',
      needs: 'getPolicyWorld',
      answer: async ({ body, signal }, { caller }) => ({
        body: await latest.run(caller.subject, signal, (own) =>
          diffChange(services, services.analysis, readChange(body), own),
        ),
      }),
    },
    {
      route: 'POST who',
      needs: 'getPolicyWorld',
      answer: async ({ body, signal }, { caller }) => ({
        body: await latest.run(caller.subject, signal, (own) =>
          whoMayCall(services, services.analysis, readWho(body), own),
        ),
      }),
    },
    {
      route: 'POST what',
      needs: 'getPolicyWorld',
      answer: async ({ body, signal }, { caller }) => ({
        body: await latest.run(caller.subject, signal, (own) =>
          whatIsReached(services, services.analysis, readWhat(body), own),
        ),
      }),
    },
    {
      route: 'POST replay',
      needs: 'getDecisionRecords',
      answer: async ({ body, signal }, { caller }) => ({
        body: await latest.run(caller.subject, signal, (own) =>
          replayChange(services, services.analysis, readReplay(body), own),
        ),
      }),
    },
    {
      route: 'POST apply',
      needs: 'applyPolicies',
      answer: async ({ body }, { caller }) => ({
        body: await applyChange(services, readApply(body), caller),
      }),
    },
  ];
}

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
