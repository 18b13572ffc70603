import { setTimeout as sleep } from 'node:timers/promises';
import { LayerError } from 'receipt-embedding/layer_error';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CommandLineEnd, WrongArgument } from './arguments.ts';
import { describeAwsProblem } from './aws_problem.ts';
import type { StackPorts } from './deployed_stack.ts';
import { Screen, type ScreenOutput } from './screen.ts';

/** How the commands end. */
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

/** What commands that read a stack's table need of the process they run in. */
export interface CommandPorts extends StackPorts {
  /** Speaks to DynamoDB in this region (undefined: the environment's), and throws the layer's errors. */
  readonly dynamodb: (region: string | undefined) => DynamoDBClient;
  /** The answer: text for people, or JSON. */
  readonly out: ScreenOutput;
  /** What is wrong and, with --json, what is going on. */
  readonly messages: ScreenOutput;
  readonly now: () => Date;
  readonly stop: Interruption;
}

/**
 * Does a command's work. How it ends becomes an exit status and, where it went wrong, words.
 *
 * @param doing the beginning of the sentence that says what AWS did not let it do: "Reading the receipts".
 * @throws whatever is a bug.
 */
export async function exitStatusOf(
  doing: string | (() => string),
  messages: ScreenOutput,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Interrupted) return EXIT.interrupted;
    if (error instanceof CommandLineEnd) return error.exitStatus;
    const told = describeEnd(error, typeof doing === 'string' ? doing : doing());
    if (told === undefined) throw error;
    new Screen(messages).line(told.text);
    return told.status;
  }
}

/** AWS's errors for arguments that name something that does not exist, or that it can't take. */
const NOT_FOUND: ReadonlySet<string> = new Set([
  'ResourceNotFoundException',
  'StateMachineDoesNotExist',
]);
const REFUSALS: ReadonlySet<string> = new Set([
  ...NOT_FOUND,
  'ExecutionDoesNotExist',
  'InvalidArn',
  'InvalidExecutionInput',
  'InvalidName',
  'StateMachineDeleting',
]);

interface ToldEnd {
  readonly text: string;
  readonly status: ExitStatus;
}

function describeEnd(error: unknown, doing: string): ToldEnd | undefined {
  if (error instanceof WrongArgument) return { text: error.message, status: EXIT.wrongArguments };
  const aws = error instanceof LayerError ? asAwsError(error) : error;
  const problem = describeAwsProblem(aws, doing);
  if (problem !== undefined) return { text: problem, status: EXIT.awsUnavailable };
  if (!(aws instanceof Error) || !('$metadata' in aws)) return undefined;
  const hint = NOT_FOUND.has(aws.name)
    ? ". Check that AWS_REGION and the credentials are the stack's, and that it is still deployed."
    : '';
  return {
    text: `${doing}: AWS refuses it: ${aws.name}: ${aws.message}${hint}`,
    status: REFUSALS.has(aws.name) ? EXIT.wrongArguments : EXIT.failed,
  };
}

/** The layer's errors say in their own words what AWS answered, and have its name for it beside. */
function asAwsError({ name, message, vendor_code }: LayerError): Error {
  const unanswered = name === 'UpstreamUnavailable' ? 'TimeoutError' : name;
  return Object.assign(new Error(message), { name: vendor_code ?? unanswered, $metadata: {} });
}

/** What the work of a command is rejected with when the program is asked to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * Ctrl-C, SIGTERM or a closed output, as a promise: so that what was started is closed before the program ends.
 */
export interface Interruption {
  /** Resolves when the program is asked to stop. */
  readonly wait: () => Promise<void>;
  /** The result of the work, or Interrupted as soon as the program is asked to stop; then it is not even begun. */
  readonly orResult: <Result>(begin: () => Promise<Result>) => Promise<Result>;
}

/**
 * Ctrl-C ends what the program has started too, which may fail the work before the program itself hears of the signal. So long a failure
 * waits for that.
 */
const SIGNAL_DELAY_MS = 100;

/**
 * @param out what the program prints to; `receipts start | head` closes it before the end.
 * @param wait by default real time.
 */
export function interruption(
  signals: NodeJS.EventEmitter = process,
  out: NodeJS.EventEmitter = process.stdout,
  wait: (milliseconds: number) => Promise<unknown> = sleep,
): Interruption {
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
    wait: async () => {
      await promise;
    },
    orResult: async (begin) => {
      if (stopped) throw new Interrupted();
      const begun = begin();
      const interrupted = promise.then(() => {
        throw new Interrupted();
      });
      // Interrupted work goes on until what it uses is closed under it. Its error is of no interest then.
      const work = begun.catch(async (error: unknown) => {
        await Promise.race([interrupted, wait(SIGNAL_DELAY_MS)]);
        throw error;
      });
      return await Promise.race([work, interrupted]);
    },
  };
}

/** Aborted with Interrupted when the program is asked to stop. */
export function signalOf(stop: Interruption): AbortSignal {
  const controller = new AbortController();
  void stop.wait().then(() => {
    controller.abort(new Interrupted());
  });
  return controller.signal;
}
