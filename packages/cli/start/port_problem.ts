/**
 * What to tell people whose port can't be had.
 *
 * @returns undefined for any other error.
 */
export function portProblem(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, syscall, port = 0 } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (syscall !== 'listen') return undefined;
  const another = 'choose another with --port N (0 takes any free one)';
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is in use by another program: end that one, or ${another}`;
    case 'EACCES':
      return `port ${port} needs more rights than you have: ${another}`;
    default:
      return undefined;
  }
}
