import {
  alikeCallees,
  type Claims,
  calleesOf,
  callerOf,
  checkedCall,
  explainCall,
  explanationWords,
  type GivenCall,
  type GivenToken,
  type PolicyWorld,
} from '../../domain/policy/index.ts';
import { CitadelError } from '../../kernel/index.ts';
import type { ConsoleExplanation, ConsoleQuestion } from '../../wire/console.ts';
import { type ChangedWorldServices, changedWorld } from './changed-world.ts';

/** What would become of a call under a change. @throws CitadelError for a question that cannot be answered */
export async function explainQuestion(
  services: ChangedWorldServices,
  question: ConsoleQuestion,
  now: Date,
): Promise<ConsoleExplanation> {
  const { after: world, locate } = await changedWorld(services, question);
  const [callees, ...others] = alikeCallees(world, calleesOf(world, question.to));
  if (!callees || others.length > 0)
    throw new CitadelError(
      'OutOfRange',
      `behind ${question.to} stand workloads under different policies; name one: ${namesOf(world, question.to)}`,
    );
  const explanation = explainCall({
    world,
    caller: callerOf(world, question.from),
    callees,
    call: givenCall(question),
    now,
    locate,
  });
  const said = { method: optional(question.method), path: optional(question.path) };
  return { verdict: explanation.verdict, ...explanationWords(explanation, said) };
}

function namesOf(world: PolicyWorld, to: string): string {
  return alikeCallees(world, calleesOf(world, to))
    .flatMap(({ members: [{ workload, port }] }) => `${workload.id}:${port}`)
    .slice(0, 10)
    .join(', ');
}

function givenCall({ method, path, host, headers, token, ip }: ConsoleQuestion): GivenCall {
  return checkedCall({
    method: optional(method),
    path: optional(path),
    withQuery: true,
    host: optional(host),
    headers: headersOf(headers),
    noOtherHeaders: false,
    token: tokenOf(token),
    sourceIp: optional(ip),
    answers: new Map(),
  });
}

const optional = (text: string) => (text === '' ? undefined : text);

function headersOf(text: string): GivenCall['headers'] {
  const headers = new Map<string, readonly string[]>();
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const at = line.indexOf('=');
    if (at < 1) throw new CitadelError('InvalidArgument', 'write a header as x-client=v2, one a line');
    const name = line.slice(0, at).trim().toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(at + 1).trim()]);
  }
  return Object.fromEntries(headers);
}

function tokenOf(text: string): GivenToken {
  if (text.trim() === '') return 'unknown';
  if (text.trim() === 'none') return 'none';
  try {
    const claims: unknown = JSON.parse(text);
    // Whatever JSON has is a claim.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return claims as Claims;
  } catch {
    // Its text may be in the parser's message, and is not told.
  }
  throw new CitadelError('InvalidArgument', 'the token’s claims are a JSON object, or none');
}
