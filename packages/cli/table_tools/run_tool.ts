import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CommandLineEnd } from '../command_line/command_line_end.ts';
import { EXIT } from '../command_line/exit_status.ts';
import type { Interruption } from '../command_line/interruption.ts';
import { Screen, type ScreenOutput } from '../command_line/screen.ts';
import { WrongArgument } from '../command_line/wrong_argument.ts';
import { describeAwsProblem } from '../deployed_stack/aws_problem.ts';
import type { StackPorts } from '../deployed_stack/stack_outputs.ts';

/** What tools that look at a stack's table need of the world. */
export interface TableToolPorts extends StackPorts {
  /** One that throws the layer's errors. */
  /** Speaks to DynamoDB in this region; undefined: the environment's. */
  readonly dynamodb: (region: string | undefined) => DynamoDBClient;
  /** The answer: text for people, or JSON. */
  readonly out: ScreenOutput;
  /** What is wrong and, with --json, what is going on. */
  readonly messages: ScreenOutput;
  readonly now: () => Date;
  readonly stop: Interruption;
}

/** Names of AWS's errors for a thing that is not there. */
const NOT_THERE = new Set(['ResourceNotFoundException', 'StateMachineDoesNotExist']);

/**
 * Does a tool's work. How it ends becomes an exit status and, where it went wrong, words.
 *
 * @param doing the beginning of the sentence that says what AWS did not let it do.
 * @throws what is none of AWS's and no wrong argument.
 */
export async function exitStatusOf(
  doing: string,
  { messages, stop }: Pick<TableToolPorts, 'messages' | 'stop'>,
  work: () => Promise<number>,
): Promise<number> {
  const screen = new Screen(messages);
  try {
    return await work();
  } catch (error) {
    if (error === stop.reason) return EXIT.interrupted;
    if (error instanceof CommandLineEnd) return error.exitStatus;
    if (error instanceof WrongArgument) {
      screen.line(error.message);
      return EXIT.wrongArguments;
    }
    const told = describeFailure(error, doing);
    if (told === undefined) throw error;
    screen.line(told.text);
    return told.status;
  }
}

/** @returns undefined for what is none of AWS's. */
function describeFailure(
  error: unknown,
  doing: string,
): { readonly text: string; readonly status: number } | undefined {
  // The layer's errors keep AWS's own as their cause.
  const aws = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const problem = describeAwsProblem(aws, doing);
  if (problem !== undefined) return { text: problem, status: EXIT.awsUnavailable };
  if (!(aws instanceof Error) || !('$metadata' in aws)) return undefined;
  const said = `${doing}: AWS refuses it: ${aws.name}: ${aws.message}`;
  return NOT_THERE.has(aws.name)
    ? {
        text: `${said}. Check that AWS_REGION and the credentials are the stack's, and that it is still deployed.`,
        status: EXIT.wrongArguments,
      }
    : { text: said, status: EXIT.failed };
}

/** Aborted with `stop`'s own reason when the program is asked to stop. */
export function signalOf(stop: Interruption): AbortSignal {
  const controller = new AbortController();
  void stop.wait().then(() => {
    controller.abort(stop.reason);
  });
  return controller.signal;
}
