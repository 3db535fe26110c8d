import { CitadelError } from '../../kernel/index.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** One sentence for what keeps a port from being opened. */
export function cannotListen(address: ListenAddress, cause: unknown): CitadelError {
  const where = formatAddress(address);
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const message =
    code === 'EADDRINUSE'
      ? `${where} is in use; stop what listens there, or choose another port`
      : code === 'EACCES'
        ? `may not listen on ${where}; choose a port above 1023`
        : `cannot listen on ${where}`;
  return new CitadelError('FailedPrecondition', message, { cause });
}

function formatAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
