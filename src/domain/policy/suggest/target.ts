import { CitadelError } from '../../../kernel/index.ts';
import type { Workload } from '../../mesh/index.ts';
import type { LabelSelector } from '../model.ts';
import { stableLabels } from '../replay/index.ts';
import type { PolicyWorld } from '../world/index.ts';

/** For whom a policy is proposed. */
export interface SuggestTarget {
  readonly namespace: string;
  readonly selector: LabelSelector;
  /** All that the selector selects: the policy holds for each of them. */
  readonly workloads: readonly Workload[];
}

/** Labels that name an application, the usual ones first. */
const naming = ['app.kubernetes.io/name', 'app', 'k8s-app', 'app.kubernetes.io/instance', 'name'];

/**
 * @param named a workload or a service as `<namespace>/<name>`, or a workload's id
 * @param selector in place of the label that names the application
 * @throws CitadelError NotFound for nobody, FailedPrecondition where no label tells them from others
 */
export function suggestTarget(
  { workloads, services }: PolicyWorld,
  named: string,
  selector?: LabelSelector,
): SuggestTarget {
  const behind = new Set(
    services.get(named)?.ports.flatMap(({ endpoints }) => endpoints.map(({ workload }) => workload)),
  );
  const all = [...workloads.values()];
  const meant = all.filter(
    ({ id, namespace, name }) => id === named || `${namespace}/${name}` === named || behind.has(id),
  );
  const [first] = meant;
  if (!first)
    throw new CitadelError('NotFound', `there is no workload or service ${named}; write it as shop/orders`);
  const { namespace } = first;
  if (meant.some((each) => each.namespace !== namespace))
    throw new CitadelError(
      'FailedPrecondition',
      `behind ${named} stand workloads of several namespaces; name one`,
    );
  const chosen = selector ?? commonSelector(meant);
  const selected = all.filter(
    (each) =>
      each.namespace === namespace &&
      Object.entries(chosen).every(([key, value]) => each.labels[key] === value),
  );
  if (!meant.every((each) => selected.includes(each)))
    throw new CitadelError('FailedPrecondition', `the selector does not select all of ${named}`);
  return { namespace, selector: chosen, workloads: selected };
}

function commonSelector(meant: readonly Workload[]): LabelSelector {
  const [first] = meant;
  const common = Object.entries(stableLabels(first?.labels ?? {})).filter(([key, value]) =>
    meant.every(({ labels }) => labels[key] === value),
  );
  const found = naming.map((key) => common.find(([own]) => own === key)).find((label) => label !== undefined);
  const labels = found ? [found] : common;
  if (labels.length > 0) return Object.fromEntries(labels);
  throw new CitadelError(
    'FailedPrecondition',
    'these workloads have no label in common by which a policy can select them; give --selector KEY=VALUE',
  );
}
