import type { AuthorizationAction, DecisionStep, RuleReference } from '../../../domain/policy/index.ts';
import { parseRuleId } from '../../../domain/policy/index.ts';
import type { MarkedStep } from '../../../domain/ports/index.ts';
import { readMarks } from './marks.ts';
import { customPrefix, dryRunPrefix, policyKey, stepPrefix } from './names.ts';

export interface RecordedDecision {
  readonly step: DecisionStep;
  readonly by: RuleReference | undefined;
  readonly audit: RuleReference | undefined;
  readonly dryRun: readonly { readonly action: AuthorizationAction; readonly by: RuleReference }[];
  /** By which rules it was decided; see DecisionMarks. */
  readonly marks: Partial<Record<MarkedStep, string>>;
}

/**
 * What the filters left in an access log entry: the fields of `rbacHttpNamespace` or `rbacNetworkNamespace`.
 *
 * @param refused whether the request, or the connection, was refused; a refusal that no filter speaks of came of an ALLOW
 *   that did not match, or of something else than policies, which the entry's response code details tell
 */
export function recordedDecision(
  left: Readonly<Record<string, unknown>>,
  refused: boolean,
  providers: readonly string[],
): RecordedDecision {
  const { fields, marks } = readMarks(left);
  const at = (prefix: string): RuleReference | undefined => {
    const id = fields[policyKey(prefix, 'enforced')] ?? fields[policyKey(prefix, 'shadow')];
    return typeof id === 'string' ? parseRuleId(id) : undefined;
  };
  const actions: readonly AuthorizationAction[] = ['CUSTOM', 'AUDIT', 'DENY', 'ALLOW'];
  const dryRun = actions.flatMap((action) => {
    const by = at(dryRunPrefix(action));
    return by === undefined ? [] : [{ action, by }];
  });
  const decided = (step: DecisionStep, by: RuleReference | undefined): RecordedDecision => ({
    step,
    by,
    audit: at(stepPrefix('audit')),
    dryRun,
    marks,
  });
  if (fields[policyKey(stepPrefix('path'), 'enforced')] !== undefined) return decided('PATH', undefined);
  const denied = at(stepPrefix('deny'));
  const allowed = at(stepPrefix('allow'));
  if (allowed !== undefined) return decided('ALLOW', allowed);
  if (denied !== undefined) return decided('DENY', denied);
  if (!refused) return decided('default', undefined);
  const asked = ['enforced', 'shadow'].map((mode) => `${stepPrefix('allow')}${mode}_engine_result`);
  if (asked.some((key) => key in fields)) return decided('ALLOW', undefined);
  const customs = providers.map((name) => at(customPrefix(name))).filter((by) => by !== undefined);
  const custom = at(stepPrefix('custom_unavailable')) ?? customs.at(-1);
  return decided(custom === undefined ? 'ALLOW' : 'CUSTOM', custom);
}
