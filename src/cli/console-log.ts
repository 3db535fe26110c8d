import { describeError, type Log, type LogFields } from '../kernel/index.ts';

const tell = (message: string, fields: LogFields = {}) => {
  const error = fields['error'];
  process.stderr.write(`${message}${error === undefined ? '' : `: ${describeError(error)}`}\n`);
};

/** What goes wrong, for who runs a command; nothing else. */
export const consoleLog: Log = {
  debug: () => {},
  info: () => {},
  warn: tell,
  error: tell,
  with: () => consoleLog,
};
