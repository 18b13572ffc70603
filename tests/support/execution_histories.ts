import {
  DescribeExecutionCommand,
  type HistoryEvent,
  ListMapRunsCommand,
  paginateGetExecutionHistory,
  paginateListExecutions,
} from '@aws-sdk/client-sfn';
import type { ProcessReceiptOutput } from '../../simple_lambdas/process_receipt_realtime/process_receipt.ts';
import type { TestStack } from './test_stack.ts';

/** Every event of one execution. */
export async function historyOf(stack: TestStack, executionArn: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  for await (const page of paginateGetExecutionHistory(
    { client: stack.local.aws.clients.sfn, pageSize: 1_000 },
    { executionArn },
  )) {
    events.push(...(page.events ?? []));
  }
  return events;
}

/** ARNs of the child executions that an execution's Maps have started. */
export async function childrenOf(stack: TestStack, executionArn: string): Promise<string[]> {
  const { sfn } = stack.local.aws.clients;
  const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn }));
  const children: string[] = [];
  for (const { mapRunArn } of mapRuns) {
    if (mapRunArn === undefined) continue;
    for await (const page of paginateListExecutions({ client: sfn }, { mapRunArn })) {
      children.push(...(page.executions ?? []).flatMap((child) => child.executionArn ?? []));
    }
  }
  return children;
}

/** What became of each receipt of an execution, by its image id: outputs of child executions. */
export async function outcomesOf(
  stack: TestStack,
  executionArn: string,
): Promise<ReadonlyMap<string, ProcessReceiptOutput>> {
  const outcomes = new Map<string, ProcessReceiptOutput>();
  for (const child of await childrenOf(stack, executionArn)) {
    const { output } = await stack.local.aws.clients.sfn.send(
      new DescribeExecutionCommand({ executionArn: child }),
    );
    const outcome = JSON.parse(output ?? 'null') as ProcessReceiptOutput;
    outcomes.set(outcome.image_id, outcome);
  }
  return outcomes;
}

/** Every text in the events: inputs, outputs, parameters, errors and causes. */
export function payloadsOf(events: readonly HistoryEvent[]): string[] {
  return events.flatMap((event) => textsIn(event));
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null || value instanceof Date) return [];
  return Object.values(value).flatMap(textsIn);
}
