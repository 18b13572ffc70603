import { z } from 'zod';

/** With so many failures a summary stays under 16 KB, half of what the cause of a failed execution may hold. */
export const FAILURES_SHOWN = 20;
const CAUSE_CHARACTERS = 300;

export interface FailureDescription {
  /** The error's name. */
  readonly error: string;
  /** What happened, at most 300 characters of it. */
  readonly cause: string;
}

export function describeFailure({ error, cause }: FailureDescription): FailureDescription {
  return { error, cause: errorMessage(cause).slice(0, CAUSE_CHARACTERS) };
}

/** What a caught error says: a failed function's cause is JSON with the message in it; a timeout's is plain text. */
export function errorMessage(cause: string): string {
  try {
    const parsed = z.object({ errorMessage: z.string() }).safeParse(JSON.parse(cause));
    return parsed.success ? parsed.data.errorMessage : cause;
  } catch {
    return cause;
  }
}
