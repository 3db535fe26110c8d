import type { Bounds } from './bounds.ts';
import { changesBetween, diffBetween, keptAt, listRevisions } from './history.ts';
import { readApply, readCompare, readHistory, readKept, readPromotion, readShadowOrder } from './input.ts';
import type { ConsoleRoute } from './route.ts';
import type { ConsoleServices } from './services.ts';
import { promoteShadow, revertShadow, shadowStatus, startShadow } from './shadow.ts';

/** What was kept at each revision, and what is tried beside it. */
export function revisionRoutes(
  services: ConsoleServices,
  { alone, shared }: Bounds,
): readonly ConsoleRoute[] {
  return [
    {
      route: 'POST history',
      needs: 'listPolicyRevisions',
      answer: shared((body) => listRevisions(services, readHistory(body))),
    },
    {
      route: 'POST history/policies',
      needs: 'getStoredPolicies',
      answer: shared((body) => keptAt(services, readKept(body))),
    },
    {
      route: 'POST history/changes',
      needs: 'getStoredPolicies',
      answer: shared((body) => changesBetween(services, readCompare(body))),
    },
    {
      route: 'POST history/diff',
      needs: 'getStoredPolicies',
      answer: alone((body, signal) => diffBetween(services, services.analysis, readCompare(body), signal)),
    },
    {
      route: 'GET shadow',
      needs: 'getPolicyShadow',
      answer: shared(() => shadowStatus(services)),
    },
    {
      route: 'POST shadow',
      needs: 'applyPolicies',
      answer: async ({ body }, { caller }) => ({
        body: await startShadow(services, readApply(body), caller),
      }),
    },
    {
      route: 'POST shadow/promote',
      needs: 'promotePolicyShadow',
      answer: async ({ body }, { caller }) => ({
        body: await promoteShadow(services, readPromotion(body), caller),
      }),
    },
    {
      route: 'POST shadow/revert',
      needs: 'revertPolicyShadow',
      answer: async ({ body }, { caller }) => ({
        body: await revertShadow(services, readShadowOrder(body), caller),
      }),
    },
  ];
}
