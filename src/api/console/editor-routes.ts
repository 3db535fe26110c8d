import { whatIsReached, whoMayCall } from './access.ts';
import type { Bounds } from './bounds.ts';
import { diffChange } from './diff.ts';
import { explainQuestion } from './explain.ts';
import { readApply, readChange, readQuestion, readReplay, readText, readWhat, readWho } from './input.ts';
import { applyChange, formatText, getPolicy, listPolicies, planChange, summarizeWorld } from './policies.ts';
import { replayChange } from './replay.ts';
import type { ConsoleRoute } from './route.ts';
import type { ConsoleServices } from './services.ts';

/** What is asked about the text in the editor, and what makes it hold. */
export function editorRoutes(services: ConsoleServices, { alone, shared }: Bounds): readonly ConsoleRoute[] {
  const { analysis } = services;
  return [
    { route: 'GET world', needs: 'getPolicyWorld', answer: () => ({ body: summarizeWorld(services) }) },
    { route: 'GET policies', needs: 'listPolicies', answer: () => ({ body: listPolicies(services) }) },
    {
      route: 'GET policies/*/*/*',
      needs: 'listPolicies',
      answer: ({ names: [kind = '', namespace = '', name = ''] }) => ({
        body: getPolicy(services, { kind, namespace, name }),
      }),
    },
    { route: 'POST format', needs: 'listPolicies', answer: shared((body) => formatText(readText(body))) },
    {
      route: 'POST plan',
      needs: 'listPolicies',
      answer: shared((body) => planChange(services, readChange(body))),
    },
    {
      route: 'POST explain',
      needs: 'getPolicyWorld',
      answer: shared((body) => explainQuestion(services, readQuestion(body), services.now())),
    },
    {
      route: 'POST diff',
      needs: 'getPolicyWorld',
      answer: alone((body, signal) => diffChange(services, analysis, readChange(body), signal)),
    },
    {
      route: 'POST who',
      needs: 'getPolicyWorld',
      answer: alone((body, signal) => whoMayCall(services, analysis, readWho(body), signal)),
    },
    {
      route: 'POST what',
      needs: 'getPolicyWorld',
      answer: alone((body, signal) => whatIsReached(services, analysis, readWhat(body), signal)),
    },
    {
      route: 'POST replay',
      needs: 'getDecisionRecords',
      answer: alone((body, signal) => replayChange(services, analysis, readReplay(body), signal)),
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
