import { randomUUID } from 'node:crypto';
import {
  GetExecutionHistoryCommand,
  type HistoryEvent,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { onTestFinished } from 'vitest';
import { serve } from '../../http/server.ts';
import type { ExecutionDescription } from '../api/execution_view.ts';
import type { InvocationAnswer, StepFunctionsPorts } from '../ports.ts';
import { StepFunctionsStandIn } from '../step_functions_stand_in.ts';

export const roleArn = 'arn:aws:iam::000000000000:role/workflow';
export const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:work';

/** A state that hands its input to the function and gives the function's result. */
export function task(more: object = {}): object {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: functionArn, 'Payload.$': '$' },
    OutputPath: '$.Payload',
    ...('Next' in more ? {} : { End: true }),
    ...more,
  };
}

export type FakeFunction = (
  payload: unknown,
  arn: string,
  signal: AbortSignal,
) => Promise<InvocationAnswer> | InvocationAnswer;

export interface Fixture {
  readonly client: SFNClient;
  readonly url: string;
  readonly standIn: StepFunctionsStandIn;
  /** `{bucket}/{key}` → body. The bucket `missing` does not exist. */
  readonly objects: Map<string, Buffer>;
  /** Creates the machine `machine` and gives its ARN. */
  readonly create: (states: object, startAt?: string, more?: object) => string;
  /** Starts `arn` over HTTP and gives what DescribeExecution says at the end. */
  readonly run: (arn: string, input?: unknown) => Promise<ExecutionDescription>;
  readonly history: (executionArn: string) => Promise<HistoryEvent[]>;
}

/** A stand-in behind HTTP with the real client; the waits of Retry last a thousandth. */
export async function startFixture(
  lambda: FakeFunction = echo,
  more: Pick<StepFunctionsPorts, 'authorize' | 'retryDelay' | 'wait' | 'random'> = {},
): Promise<Fixture> {
  const objects = new Map<string, Buffer>();
  const standIn = new StepFunctionsStandIn({
    region: 'us-east-1',
    accountId: '000000000000',
    invokeLambda: async (arn, payload, signal) => lambda(payload, arn, signal),
    objects: {
      getObject: (bucket, key) => {
        const body = objects.get(`${bucket}/${key}`);
        return body === undefined ? undefined : { body };
      },
      putObject: (bucket, key, body) => {
        if (bucket === 'missing') throw new Error('The specified bucket does not exist');
        objects.set(`${bucket}/${key}`, body);
      },
    },
    clock: () => new Date(),
    newId: randomUUID,
    retryDelay: (milliseconds) => milliseconds / 1_000,
    ...more,
  });
  const server = await serve(standIn.handle, 0);
  const client = new SFNClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  onTestFinished(async () => {
    client.destroy();
    await standIn.close();
    await server.close();
  });
  return {
    client,
    url: server.url,
    standIn,
    objects,
    create: (states, startAt = Object.keys(states)[0], more = {}) =>
      standIn.createStateMachine({
        name: 'machine',
        roleArn,
        type: 'STANDARD',
        definition: { StartAt: startAt, States: states, ...more },
      }),
    run: async (arn, input = {}) => {
      const { executionArn = '' } = await client.send(
        new StartExecutionCommand({ stateMachineArn: arn, input: JSON.stringify(input) }),
      );
      return standIn.waitForExecution(executionArn);
    },
    history: async (executionArn) => {
      const answer = await client.send(
        new GetExecutionHistoryCommand({ executionArn, maxResults: 1_000 }),
      );
      return answer.events ?? [];
    },
  };
}

/** A function that gives back what it gets. */
export function echo(payload: unknown): InvocationAnswer {
  return { payload };
}

/** A function that gives back what it gets, a turn later, and tells how many of its calls were at work at once. */
export function countingEcho(): { readonly lambda: FakeFunction; readonly most: () => number } {
  let running = 0;
  let most = 0;
  return {
    lambda: async (payload) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return { payload };
    },
    most: () => most,
  };
}

/** A function's answer when it throws. */
export function thrown(errorType: string, errorMessage = 'no reason'): InvocationAnswer {
  return { payload: { errorType, errorMessage, trace: [] }, functionError: 'Unhandled' };
}

/** Calls that wait until they are released. */
export class Held {
  readonly waiting: (() => void)[] = [];
  #onCall: (() => void)[] = [];

  /** Waits until released, or until `signal` is aborted. */
  async hold(signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const release = (): void => {
      resolve(undefined);
    };
    this.waiting.push(release);
    signal?.addEventListener('abort', release, { once: true });
    for (const notify of this.#onCall.splice(0)) notify();
    await promise;
  }

  async untilWaiting(count: number): Promise<void> {
    while (this.waiting.length < count) {
      await new Promise<void>((resolve) => {
        this.#onCall.push(resolve);
      });
    }
  }

  releaseAll(): void {
    for (const release of this.waiting.splice(0)) release();
  }
}

export function typesOf(events: readonly HistoryEvent[]): (string | undefined)[] {
  return events.map((event) => event.type);
}
