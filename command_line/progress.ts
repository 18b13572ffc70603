import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  ListMapRunsCommand,
  type DescribeExecutionCommandOutput,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 200;
const BAR_WIDTH = 30;

export interface ItemCounts {
  readonly total: number;
  readonly done: number;
}

/**
 * Watches an execution through AWS's own API until it ends.
 *
 * @param onProgress hears how far its Map is, whenever that has changed, as soon as there is one with items.
 */
export async function watchExecution(
  sfn: SFNClient,
  executionArn: string,
  onProgress: (items: ItemCounts) => void,
): Promise<DescribeExecutionCommandOutput> {
  let shown: number | undefined;
  for (;;) {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    const items = await countItems(sfn, executionArn);
    if (items !== undefined && items.done !== shown) {
      shown = items.done;
      onProgress(items);
    }
    if (execution.status !== 'RUNNING') return execution;
    // Whoever stops the program does not wait for another look.
    await sleep(POLL_MS, undefined, { ref: false });
  }
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

/** A bar and its text. */
export function progressLine({ total, done }: ItemCounts, text: string): string {
  const filled = Math.floor((BAR_WIDTH * done) / total);
  return `  [${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}] ${text}`;
}
