import { type Command, Option } from 'commander';
import { ExitRequest } from '../exit-codes.ts';

interface RunOptions {
  readonly config: string;
}

interface AgentRunOptions extends RunOptions {
  readonly exec?: boolean;
}

const warn = (warning: string) => process.stderr.write(`warning: ${warning}\n`);

function configOption(): Option {
  return new Option('--config <file>', 'configuration file').env('CITADEL_CONFIG').makeOptionMandatory();
}

/** Adds the commands that stay: `citadel server` and `citadel agent`. */
export function addRunCommands(program: Command): void {
  program
    .command('server')
    .description('the certificate authority, its CSR API and operator API')
    .addOption(configOption())
    .action(async ({ config: file }: RunOptions) => {
      const { loadServerConfig } = await import('../../app/config/index.ts');
      const config = loadServerConfig({ file, env: process.env, onWarning: warn });
      const { startServer } = await import('../../app/index.ts');
      // Listened for from the beginning: a signal during the start stops what was started, in order.
      const stopped = stopSignal();
      const server = await startServer(config);
      await stopped;
      await server.stop();
    });
  program
    .command('agent')
    .description('beside a workload: holds its key, renews its certificate, serves it')
    .addOption(configOption())
    .option('--exec', 'run Envoy beside the agent: everything that follows is its command')
    .argument('[command...]', 'with --exec: Envoy’s program and its options')
    .passThroughOptions()
    .action(async (command: readonly string[], { config: file, exec }: AgentRunOptions, self: Command) => {
      if ((exec === true) !== command.length > 0)
        self.error('error: --exec and a command go together: --exec envoy -c envoy.yaml');
      const { loadAgentConfig } = await import('../../app/config/index.ts');
      const config = loadAgentConfig({ file, env: process.env, onWarning: warn });
      const { runAgent } = await import('../../app/agent.ts');
      const stop = new AbortController();
      void stopSignal().then(() => stop.abort());
      const exitCode = await runAgent(config, { exec: command, signal: stop.signal });
      if (exitCode !== 0) throw new ExitRequest(exitCode);
    });
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process as usual. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((done) => {
    const names = ['SIGTERM', 'SIGINT'] as const;
    const stop = (name: NodeJS.Signals) => {
      for (const each of names) process.off(each, stop);
      done(name);
    };
    for (const name of names) process.on(name, stop);
  });
}
