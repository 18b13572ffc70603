import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { ItemCounts } from '../command_line/map_progress.ts';
import { backgroundTiming } from '../command_line/timing.ts';
import { EMBEDDED_PACE, watchExecution } from '../command_line/watch_execution.ts';
import type { LocalStack } from '../local_stack.ts';

/**
 * Watches an execution on the embedded AWS until it ends.
 *
 * @param onProgress hears how far its Map is, whenever that has changed, as soon as there is one with items.
 */
export async function watchLocally(
  { aws }: LocalStack,
  executionArn: string,
  onProgress: (items: ItemCounts) => void,
): Promise<DescribeExecutionCommandOutput> {
  let shown: number | undefined;
  return await watchExecution(executionArn, {
    sfn: aws.clients.sfn,
    timing: backgroundTiming,
    pace: EMBEDDED_PACE,
    onLook: ({ items }) => {
      if (items === undefined || items.done === shown) return;
      shown = items.done;
      onProgress(items);
    },
  });
}
