import type { AuthorizationPolicy, PolicyTargetReference } from '../../model.ts';

/** Policies whose rules count together. */
export function sameAction(a: AuthorizationPolicy, b: AuthorizationPolicy): boolean {
  return a.action === b.action && a.provider === b.provider && a.dryRun === b.dryRun;
}

/** Whether `a` holds wherever `b` does, whatever workloads there are. */
export function scopeCovers(a: AuthorizationPolicy, b: AuthorizationPolicy, rootNamespace: string): boolean {
  if (a === b) return true;
  if (a.meta.namespace !== b.meta.namespace && a.meta.namespace !== rootNamespace) return false;
  if (a.targetRefs.length > 0) {
    const targets = new Set(a.targetRefs.map(targetKey));
    return (
      a.meta.namespace === b.meta.namespace &&
      b.targetRefs.length > 0 &&
      b.targetRefs.every((target) => targets.has(targetKey(target)))
    );
  }
  const wanted = Object.entries(a.selector ?? {});
  return wanted.every(([key, value]) => b.selector?.[key] === value);
}

function targetKey({ group, kind, name }: PolicyTargetReference): string {
  return `${group}/${kind}/${name}`;
}
