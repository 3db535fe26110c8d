import type { Claims, JwtRule, PolicyRequest } from '../../../domain/policy/index.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { type Reply, send } from './client.ts';
import { ThrowawayIdentities } from './identities.ts';
import { type JudgedPlace, judgeListeners } from './listeners.ts';
import { startJudgingEnvoy } from './process.ts';

export type { Reply } from './client.ts';
export type { JudgedPlace } from './listeners.ts';

/** A real Envoy with the filters that policies become, to be asked what it makes of calls. */
export interface EnvoyJudge extends AsyncDisposable {
  ask(place: JudgedPlace, call: JudgedCall): Promise<Reply>;
}

export interface JudgedCall {
  readonly request: PolicyRequest;
  readonly token: Claims | 'invalid' | undefined;
}

export interface EnvoyJudgeOptions {
  readonly binary: string;
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
}

/** @throws CitadelError FailedPrecondition where Envoy does not start, or refuses what policies become */
export async function startEnvoyJudge(
  places: readonly JudgedPlace[],
  { binary, trustDomain, trustDomainAliases }: EnvoyJudgeOptions,
): Promise<EnvoyJudge> {
  const identities = await ThrowawayIdentities.create();
  const { rootPem, jwks } = identities;
  const server = await identities.credentials(`spiffe://${trustDomain}/ns/judge/sa/judge`);
  const listeners = judgeListeners(places, { trustDomain, trustDomainAliases, server, rootPem, jwks });
  const envoy = await startJudgingEnvoy(
    binary,
    listeners,
    places.map(({ name }) => name),
  );
  return {
    async ask({ name, policies }, { request, token }) {
      const port = envoy.ports.get(name);
      if (port === undefined) throw new CitadelError('Internal', `Envoy has no listener ${name}`);
      const { sourcePrincipal, sourceIp, remoteIp, http } = request;
      const credentials =
        sourcePrincipal === undefined ? undefined : await identities.credentials(sourcePrincipal);
      const rules = policies.flatMap((policy) =>
        policy.kind === 'RequestAuthentication' ? policy.jwtRules : [],
      );
      const placed = token === undefined ? {} : placeOf(token, rules, identities.token(token));
      return send({
        port,
        request,
        credentials,
        headers: [
          ...(remoteIp === sourceIp ? [] : [['x-forwarded-for', remoteIp] as const]),
          ...(placed.header ? [placed.header] : []),
        ],
        path: placed.param === undefined || !http ? undefined : withParam(http.path, placed.param),
      });
    },
    [Symbol.asyncDispose]: () => envoy[Symbol.asyncDispose](),
  };
}

interface Placed {
  readonly header?: readonly [name: string, value: string];
  readonly param?: string;
}

/** Where the rule for its issuer looks first. */
function placeOf(token: Claims | 'invalid', rules: readonly JwtRule[], text: string): Placed {
  const ofIssuer = ({ issuer }: JwtRule) =>
    issuer === undefined || (token !== 'invalid' && issuer === token['iss']);
  const rule = rules.find(ofIssuer) ?? rules[0];
  const [header] = rule?.fromHeaders ?? [];
  if (header) return { header: [header.name, `${header.prefix}${text}`] };
  const [param] = rule?.fromParams ?? [];
  if (param !== undefined) return { param: `${encodeURIComponent(param)}=${text}` };
  const [cookie] = rule?.fromCookies ?? [];
  if (cookie !== undefined) return { header: ['cookie', `${cookie}=${text}`] };
  return { header: ['authorization', `Bearer ${text}`] };
}

function withParam(path: string, param: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}${param}`;
}
