import { type CallExplanation, explanationWords } from '../../domain/policy/index.ts';
import { printable } from '../output.ts';

interface Line {
  readonly method?: string | undefined;
  readonly path?: string | undefined;
}

/** For a reader: the verdict first, then why, then what would have had to be otherwise, then each step. */
export function explanationText(explanation: CallExplanation, line: Line): string {
  const { headline, why, steps, notes } = explanationWords(explanation, line);
  return [
    headline,
    ...why.map((each) => `  ${each}`),
    '',
    'How it is decided',
    ...steps.map(([name, result]) => `  ${name.padEnd(10)}${result}`),
    ...notes.map((note) => `note: ${note}`),
  ]
    .map((each) => `${printable(each)}\n`)
    .join('');
}
