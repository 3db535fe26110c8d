import { expect, test } from 'vitest';
import { hasPart } from '../../parts/index.ts';
import { documentedCommands, openSection, type Section } from './commands.ts';

export const documented = documentedCommands('rotation.md');

/** The sections that have commands, by the file that runs them. */
export const sections = {
  rotation: [
    'Before the first command',
    'Planned',
    'Who cannot report',
    'Watching',
    'By force',
    'Canary',
    'Back',
    'To another algorithm',
    'Cross-signing',
    'To a root of your own PKI, and back',
    "The old root's key",
  ],
  recovery: [
    'A certificate is stolen',
    'An issuing key is compromised',
    "The root's key is compromised",
    'Everything has expired',
    'Make one',
    'A machine is lost',
    'The record disagrees',
  ],
  scripts: ['Seen to hold'],
} as const;

/** A scenario needs Envoys, or it does not, and may run beside others. */
const withEnvoys = test.skipIf(!hasPart('envoy'));

/** @returns what declares a scenario: a test that runs all commands of some sections; and what declares the last test */
export function scenariosOf<const Title extends string>(titles: readonly Title[]) {
  const claimed: Title[] = [];
  return {
    scenario: (
      own: readonly Title[],
      play: (section: (title: Title) => Section) => Promise<void>,
      run: typeof withEnvoys | typeof test.concurrent = withEnvoys,
    ): void => {
      claimed.push(...own);
      run(
        own.join(', '),
        async () => {
          const opened: Section[] = [];
          await play((title) => {
            const section = openSection(title, documented.get(title) ?? []);
            opened.push(section);
            return section;
          });
          expect(opened).toHaveLength(own.length);
          for (const section of opened) section.end();
        },
        240_000,
      );
    },
    /** Nothing is listed that no scenario runs. */
    complete: () =>
      test('are all run by a scenario of their section', () => {
        expect(claimed.toSorted()).toStrictEqual(titles.toSorted());
      }),
  };
}
