import type { Command } from 'commander';
import { loadWorld, type WorldOptions, withWorld } from '../policy-world.ts';

/** Adds `citadel policy lsp`. */
export function addPolicyLanguageServer(policy: Command): void {
  const command = policy
    .command('lsp')
    .description(
      'a language server for editors, on standard input and output; knows names with a world alone',
    )
    .option('--stdio', 'as editors say it; there is no other way');
  withWorld(command).action(async () => {
    const options = command.opts<WorldOptions>();
    const { world, registry, server, socket } = options;
    const hasWorld = [world, registry, server, socket].some((each) => each !== undefined);
    const [{ serveLanguage }, { worldSource }] = await Promise.all([
      import('../language-server/server.ts'),
      import('../language-server/world-source.ts'),
    ]);
    serveLanguage(worldSource(hasWorld ? () => loadWorld(options) : undefined));
    // The editor ends it.
    await new Promise(() => {});
  });
}
