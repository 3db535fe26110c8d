/** What the operating system calls an error, as in `ENOENT`; undefined for errors that are not its own. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
