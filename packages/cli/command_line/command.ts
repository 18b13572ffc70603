import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CommandLineEnd, WrongArgument } from './arguments.ts';
import { describeAwsProblem } from './aws_problem.ts';
import type { StackPorts } from './deployed_stack.ts';
import { Screen, type ScreenOutput } from './screen.ts';

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

/** How the command-line programs end. */
export const EXIT = {
  done: 0,
  /** The thing itself failed: an execution, a check. */
  failed: 1,
  /** Wrong arguments, or nothing to find by them. */
  wrongArguments: 2,
  /** AWS can't be asked: credentials, permissions, network. */
  awsUnavailable: 3,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/**
 * Ctrl-C, a polite kill, or nobody left to read what the program prints, as a promise: so that whatever was started is
 * ended before the program is.
 */
export interface Interruption {
  /** What `orResult` rejects with. */
  readonly reason: Error;
  /** Resolves when the program is asked to stop. */
  readonly wait: () => Promise<void>;
  /** The result of the work, or a rejection as soon as the program is asked to stop; then it is not even begun. */
  readonly orResult: <Result>(begin: () => Promise<Result>) => Promise<Result>;
}

/** @param out what the program prints to; `npm start | head` closes it before the end. */
export function interruption(
  signals: NodeJS.EventEmitter = process,
  out: NodeJS.EventEmitter = process.stdout,
): Interruption {
  const reason = new Error('interrupted');
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    resolve(undefined);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) signals.once(signal, stop);
  // Every line that is still printed is an error of its own.
  out.on('error', stop);
  return {
    reason,
    wait: async () => {
      await promise;
    },
    orResult: async (begin) => {
      if (stopped) throw reason;
      const work = begin();
      // The work goes on until what it uses is closed under it; nobody hears of that any more.
      work.catch(() => undefined);
      return await Promise.race([
        work,
        promise.then(() => {
          throw reason;
        }),
      ]);
    },
  };
}
