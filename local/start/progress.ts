import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  ListMapRunsCommand,
  type DescribeExecutionCommandOutput,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Screen } from './screen.ts';

const POLL_MS = 200;
const BAR_WIDTH = 30;

/** Watches an execution through AWS's own API until it ends, and shows how far its Map is. */
export async function watchExecution(
  sfn: SFNClient,
  executionArn: string,
  screen: Screen,
): Promise<DescribeExecutionCommandOutput> {
  for (;;) {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    const counts = await countItems(sfn, executionArn);
    if (counts !== undefined) screen.progress(line(counts), counts.done / counts.total);
    if (execution.status !== 'RUNNING') {
      screen.endProgress();
      return execution;
    }
    await sleep(POLL_MS);
  }
}

interface ItemCounts {
  readonly total: number;
  readonly done: number;
}

async function countItems(sfn: SFNClient, executionArn: string): Promise<ItemCounts | undefined> {
  const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn }));
  const mapRunArn = mapRuns[0]?.mapRunArn;
  if (mapRunArn === undefined) return undefined;
  const { itemCounts } = await sfn.send(new DescribeMapRunCommand({ mapRunArn }));
  if (itemCounts?.total === undefined || itemCounts.total === 0) return undefined;
  const { total, succeeded = 0, failed = 0, aborted = 0, timedOut = 0 } = itemCounts;
  return { total, done: succeeded + failed + aborted + timedOut };
}

function line({ total, done }: ItemCounts): string {
  const filled = Math.round((BAR_WIDTH * done) / total);
  return `  [${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}] ${done} of ${total} receipts`;
}
