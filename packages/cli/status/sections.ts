import type { SFNClient } from '@aws-sdk/client-sfn';
import type { Logger } from 'receipt-embedding/ports';
import type { Table } from 'receipt-embedding/table/table';
import { count } from '../command_line/quantity.ts';
import { requireOutput, type StackOutputs } from '../deployed_stack/stack_outputs.ts';
import { countBatches, countCompactionStates, countEmbeddingStatuses } from '../table/counts.ts';
import { batchesView } from './batch_view.ts';
import { type ExecutionView, lastExecutions } from './executions.ts';
import { batchLines, entityLines, executionLines, runLines } from './report.ts';

/** A part of what a stack is like: as data, and as lines for people. */
export interface Section {
  readonly data: unknown;
  readonly lines: readonly string[];
}

export interface SectionPorts {
  readonly table: Table;
  readonly sfn: SFNClient;
  readonly outputs: StackOutputs;
  readonly now: Date;
  readonly signal: AbortSignal;
  /** @param share of what is to be read, 0 to 1; 0 throughout where that is not known. */
  readonly onProgress: (text: string, share: number) => void;
}

const MOST_FAILED_RUNS = 10;

/** What can't be read is counted, and nothing else is said of it here. */
const silent: Logger = { info: () => undefined, warn: () => undefined };

/** The newest executions of each workflow; null for those that the stack has not. */
export async function executionsSection(
  { sfn, outputs, now }: SectionPorts,
  most: number,
): Promise<Section> {
  const machines = {
    realtime: requireOutput(outputs, 'realtime_embedding_sf_arn'),
    batch_submit: outputs.batch_submit_sf_arn,
    batch_poll: outputs.batch_poll_sf_arn,
  };
  const data: Record<string, readonly ExecutionView[] | null> = {};
  const lines: string[] = [];
  for (const [workflow, arn] of Object.entries(machines)) {
    const executions = arn === undefined ? null : await lastExecutions(sfn, arn, most, now);
    data[workflow] = executions;
    const name = arn?.split(':').at(-1) ?? workflow.replace('_', '-');
    lines.push(...(lines.length === 0 ? [] : ['']), ...executionLines(name, executions));
  }
  return { data, lines };
}

export async function batchesSection({ table, now, signal }: SectionPorts): Promise<Section> {
  const data = batchesView(await countBatches(table, silent, { signal }), now);
  return { data, lines: batchLines(data) };
}

export async function runsSection({ table, signal, onProgress }: SectionPorts): Promise<Section> {
  const data = await countCompactionStates(table, {
    signal,
    most_failed: MOST_FAILED_RUNS,
    onProgress: (read) => {
      onProgress(`Runs: ${count(read)} so far`, 0);
    },
  });
  return { data, lines: runLines(data) };
}

export async function entitiesSection({
  table,
  signal,
  onProgress,
}: SectionPorts): Promise<Section> {
  const data = await countEmbeddingStatuses(table, {
    signal,
    onProgress: ({ counted, parts, all_parts }) => {
      const text = `Lines and words: ${count(counted)} so far, ${parts} of ${all_parts} parts of the index`;
      onProgress(text, parts / all_parts);
    },
  });
  return { data, lines: entityLines(data) };
}
