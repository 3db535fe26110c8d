import { z } from 'zod';
import { mend } from '../../../yaml/index.ts';
import type { LabelSelector, PolicyTargetReference } from '../model.ts';
import { isDnsSubdomain, limits, list, text } from './values.ts';

const labelName = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** A label's key as Kubernetes takes it: `app`, `app.kubernetes.io/name`. */
function isLabelKey(key: string): boolean {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  return parts.length <= 2 && labelName.test(name) && (parts.length === 1 || isDnsSubdomain(parts[0] ?? ''));
}

export const labels = () =>
  z.record(z.string(), z.string()).superRefine((all, context) => {
    const entries = Object.entries(all);
    if (entries.length > limits.labels)
      context.addIssue({ code: 'custom', message: `must not hold more than ${limits.labels} labels` });
    for (const [key, value] of entries) {
      if (key.includes('*') || value.includes('*'))
        context.addIssue({
          code: 'custom',
          path: [key],
          message: 'labels know no wildcards',
          ...mend('name the label and its value whole'),
        });
      else if (!isLabelKey(key))
        context.addIssue({
          code: 'custom',
          path: [key],
          message: `${JSON.stringify(key)} is no label’s key`,
        });
      else if (value !== '' && !labelName.test(value))
        context.addIssue({
          code: 'custom',
          path: [key],
          message: `${JSON.stringify(value)} is no label’s value`,
        });
    }
  });

export const selector = () => z.strictObject({ matchLabels: labels().optional() });

/** Without a label it is as if there were no selector. */
export function readSelector(
  given: z.output<ReturnType<typeof selector>> | undefined,
): LabelSelector | undefined {
  const found = given?.matchLabels ?? {};
  return Object.keys(found).length === 0 ? undefined : found;
}

/** What a policy can be attached to: kinds by their group, `core` being the group that has no name. */
const targetKinds: Readonly<Record<string, readonly string[]>> = {
  Service: ['', 'core'],
  ServiceEntry: ['networking.istio.io'],
  Gateway: ['gateway.networking.k8s.io'],
  GatewayClass: ['gateway.networking.k8s.io'],
};

const targetRef = z
  .strictObject({
    group: z.string().max(253).optional(),
    kind: z.enum(['Service', 'ServiceEntry', 'Gateway', 'GatewayClass']),
    name: text().max(253),
    namespace: z.string().optional(),
  })
  .superRefine(({ group = '', kind, namespace }, context) => {
    const groups = targetKinds[kind] ?? [];
    if (!groups.includes(group))
      context.addIssue({
        code: 'custom',
        path: ['group'],
        message: `${kind} is of the group ${JSON.stringify(groups[0])}, not ${JSON.stringify(group)}`,
      });
    if (namespace !== undefined && namespace !== '')
      context.addIssue({
        code: 'custom',
        path: ['namespace'],
        message: 'a target of another namespace cannot be named',
        ...mend('put the policy into the namespace of its target, and leave this key out'),
      });
  });

/** `selector`, `targetRefs` and its older form for one: what a policy may have one of. */
export const targeting = {
  selector: selector().optional(),
  targetRef: targetRef.optional(),
  targetRefs: list(targetRef, limits.targetRefs),
};

interface Targeting {
  readonly selector?: z.output<ReturnType<typeof selector>> | undefined;
  readonly targetRef?: z.output<typeof targetRef> | undefined;
  readonly targetRefs?: readonly z.output<typeof targetRef>[] | undefined;
}

export function checkTargeting(spec: Targeting, context: z.RefinementCtx): void {
  const given = (['selector', 'targetRef', 'targetRefs'] as const).filter((key) => spec[key] !== undefined);
  const [, second] = given;
  if (second === undefined) return;
  context.addIssue({
    code: 'custom',
    path: [second],
    message: `only one of selector and targetRefs may be there, not ${given.join(' and ')}`,
    ...mend('write two policies'),
  });
}

export function readTargeting(spec: Targeting): {
  readonly selector: LabelSelector | undefined;
  readonly targetRefs: readonly PolicyTargetReference[];
} {
  const references = spec.targetRefs ?? (spec.targetRef ? [spec.targetRef] : []);
  return {
    selector: readSelector(spec.selector),
    targetRefs: references.map(({ group = '', kind, name }) => ({
      group: group === 'core' ? '' : group,
      kind,
      name,
    })),
  };
}
