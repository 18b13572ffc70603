import { WrongArgument } from 'receipts-cli/command_line/arguments';
import { describeAwsProblem } from 'receipts-cli/command_line/aws_problem';

export interface Problem {
  /** The status of the answer. */
  readonly status: number;
  /** What happened and what to do, for people. */
  readonly problem: string;
}

/** What went wrong, in the words that the commands have for it. */
export function problemOf(error: unknown): Problem {
  if (error instanceof WrongArgument) return { status: 400, problem: error.message };
  const aws = describeAwsProblem(error, 'Reading the stack');
  if (aws !== undefined) return { status: 502, problem: aws };
  if (!(error instanceof Error)) return { status: 500, problem: String(error) };
  const isRefusal = '$metadata' in error || 'vendor_code' in error;
  return { status: isRefusal ? 502 : 500, problem: `${error.name}: ${error.message}` };
}
