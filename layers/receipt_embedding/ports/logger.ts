/** Structured logs: a constant message, and fields. Never a secret, a receipt's text or a vector. */
export interface Logger {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
