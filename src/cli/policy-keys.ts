import { isPolicyKind, policyKey, policyKinds } from '../domain/policy/index.ts';
import type * as wire from '../gen/citadel/v1/operator.ts';
import { CitadelError } from '../kernel/index.ts';

/** What a command takes for the name of a policy. */
export const policyKeyHelp = 'as AuthorizationPolicy/shop/orders';

/** @throws CitadelError OutOfRange */
export function parseKey(text: string): wire.PolicyKey {
  const [kind = '', namespace = '', name = '', ...more] = text.split('/');
  if (isPolicyKind(kind) && namespace !== '' && name !== '' && more.length === 0)
    return { kind, namespace, name };
  const kinds = policyKinds.join(', ');
  throw new CitadelError(
    'OutOfRange',
    `${text} names no policy; write it ${policyKeyHelp}, with one of ${kinds}`,
  );
}

export function keyText(key: wire.PolicyKey | undefined): string {
  return key ? policyKey(key) : '';
}

/** Of more names nobody reads. */
const mostNames = 5;

export function namesText(names: readonly string[]): string {
  const more = names.length - mostNames;
  return `${names.slice(0, mostNames).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}
