import { ListMapRunsCommand, paginateListExecutions, type SFNClient } from '@aws-sdk/client-sfn';
import type { LocalStack } from '../local_stack.ts';

/** Where the receipts' time went, milliseconds added up over all of them. */
export interface TimeSpent {
  /** In the functions' own code. */
  readonly functions: number;
  /** In functions that waited for AWS's and OpenAI's stand-ins. */
  readonly stand_ins: number;
  /** In the state machines, between functions. */
  readonly orchestration: number;
}

/** Adds up an execution that is over; nothing else may have run on this stack. */
export async function timeSpent(
  { aws, vendorWaiting }: LocalStack,
  executionArn: string,
): Promise<TimeSpent> {
  const activity = [...aws.lambda.activity];
  const inFunctions = sum(activity.map(([, { milliseconds }]) => milliseconds));
  const inReceipts = sum(
    activity
      .filter(([functionName]) => functionName.includes('process-receipt'))
      .map(([, { milliseconds }]) => milliseconds),
  );
  const waiting = aws.edge.waiting.milliseconds + vendorWaiting.milliseconds;
  return {
    functions: inFunctions - waiting,
    stand_ins: waiting,
    orchestration: (await childMilliseconds(aws.clients.sfn, executionArn)) - inReceipts,
  };
}

async function childMilliseconds(sfn: SFNClient, executionArn: string): Promise<number> {
  const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn }));
  let milliseconds = 0;
  for (const { mapRunArn } of mapRuns) {
    for await (const { executions = [] } of paginateListExecutions(
      { client: sfn },
      { mapRunArn },
    )) {
      for (const { startDate, stopDate } of executions) {
        milliseconds += (stopDate?.getTime() ?? 0) - (startDate?.getTime() ?? 0);
      }
    }
  }
  return milliseconds;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
