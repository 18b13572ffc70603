import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import {
  type HistoryEvent,
  ListMapRunsCommand,
  paginateGetExecutionHistory,
  paginateListExecutions,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import type { BatchSummary } from 'receipt-embedding/entities/batch';
import { withTemporaryFolder } from 'receipt-embedding/local_files';
import type { LocalStack } from 'receipts-cli/local_stack';
import { print } from './figures.ts';

/** One execution, as its history tells. */
export interface ExecutionSteps {
  readonly events: number;
  /** Characters of the largest input or output of a state. */
  readonly largestPayload: number;
  /** When each state was entered and left, epoch milliseconds; of one that was entered several times, the first and the last. */
  readonly states: ReadonlyMap<string, { readonly entered: number; readonly exited: number }>;
}

/** An execution and the children that its Maps have started, itself first. */
export async function stepsOf(sfn: SFNClient, executionArn: string): Promise<ExecutionSteps[]> {
  const steps = [await stepsOfOne(sfn, executionArn)];
  const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn }));
  for (const { mapRunArn } of mapRuns) {
    const pages = paginateListExecutions({ client: sfn }, { mapRunArn });
    for await (const { executions = [] } of pages) {
      for (const { executionArn: child = '' } of executions) {
        steps.push(await stepsOfOne(sfn, child));
      }
    }
  }
  return steps;
}

async function stepsOfOne(sfn: SFNClient, executionArn: string): Promise<ExecutionSteps> {
  const states = new Map<string, { entered: number; exited: number }>();
  const found = { events: 0, largestPayload: 0, states };
  const pages = paginateGetExecutionHistory({ client: sfn, pageSize: 1_000 }, { executionArn });
  for await (const { events = [] } of pages) {
    found.events += events.length;
    for (const event of events) {
      found.largestPayload = Math.max(found.largestPayload, payloadOf(event));
      const at = event.timestamp?.getTime() ?? 0;
      const { name } = event.stateEnteredEventDetails ?? event.stateExitedEventDetails ?? {};
      if (name === undefined) continue;
      const state = states.get(name) ?? { entered: at, exited: at };
      state.exited = at;
      states.set(name, state);
    }
  }
  return found;
}

function payloadOf({
  stateEnteredEventDetails: entered,
  stateExitedEventDetails: exited,
}: HistoryEvent): number {
  return (entered?.input ?? exited?.output ?? '').length;
}

/** A step of a batch, and how long it took. */
export interface StepTime {
  readonly step: string;
  readonly milliseconds: number;
}

/** The steps of the one batch of a submission, from the executions' histories and from what each step leaves behind. */
export async function submitTimes(
  { aws, batchBucket }: LocalStack,
  [parent, child]: readonly ExecutionSteps[],
  { batch_id, creating_since = '' }: BatchSummary,
): Promise<StepTime[]> {
  const { Contents: [requests] = [] } = await aws.clients.s3.send(
    new ListObjectsV2Command({ Bucket: batchBucket, Prefix: `batches/${batch_id}/requests.jsonl` }),
  );
  const claimed = requests?.LastModified?.getTime() ?? Number.NaN;
  const uploaded = Date.parse(creating_since);
  const submission = child?.states.get('SubmitBatch');
  if (submission === undefined) throw new Error('the history of the submission is gone');
  return [
    ...times(parent, ['PlanBatches']),
    { step: 'SubmitBatch: claims', milliseconds: claimed - submission.entered },
    { step: 'SubmitBatch: upload', milliseconds: uploaded - claimed },
    { step: 'SubmitBatch: create', milliseconds: submission.exited - uploaded },
  ];
}

/** The steps of the one batch of a poll. */
export function pollTimes([, child]: readonly ExecutionSteps[]): StepTime[] {
  return times(child, ['GetBatchStatus', 'DownloadResults', 'IngestParts', 'MarkBatchComplete']);
}

function times(execution: ExecutionSteps | undefined, states: readonly string[]): StepTime[] {
  return states.map((step) => {
    const { entered, exited } = execution?.states.get(step) ?? { entered: 0, exited: Number.NaN };
    return { step, milliseconds: exited - entered };
  });
}

/**
 * Prints the steps of a batch and, of those that ingest its results, the slowest.
 *
 * @param ingestion the last of the steps.
 */
export function printSteps(
  steps: readonly StepTime[],
  ingestion: readonly StepTime[],
  results: number,
  plain: PlainParse,
): void {
  const whole = { step: 'the whole poll', milliseconds: sum(ingestion) };
  print('\nstep                    seconds   results/s   times the plain read and parse');
  for (const { step, milliseconds } of [...steps, whole]) {
    print(
      step.padEnd(22) +
        (milliseconds / 1_000).toFixed(1).padStart(9) +
        ((1_000 * results) / milliseconds).toFixed(0).padStart(12) +
        (milliseconds / plain.milliseconds).toFixed(1).padStart(33),
    );
  }
  const slowest = ingestion.reduce((a, b) => (b.milliseconds > a.milliseconds ? b : a));
  const share = (100 * slowest.milliseconds) / whole.milliseconds;
  print(`The slowest of the poll is ${slowest.step}, with ${share.toFixed(0)} % of its time.`);
}

function sum(steps: readonly StepTime[]): number {
  return steps.reduce((total, { milliseconds }) => total + milliseconds, 0);
}

/**
 * Brings a file of OpenAI's to this machine, for as long as `use` takes.
 *
 * @param url of OpenAI, with `/v1`.
 * @returns what `use` gives, and how long it took to bring it: what the stand-in needs to make it, mostly.
 */
export async function withOutputFile<Result>(
  url: string,
  fileId: string,
  folder: string,
  use: (path: string) => Promise<Result>,
): Promise<{ readonly result: Result; readonly milliseconds: number }> {
  return await withTemporaryFolder(folder, async (inside) => {
    const path = join(inside, 'output.jsonl');
    const started = performance.now();
    const { body } = await fetch(`${url}/files/${fileId}/content`, {
      headers: { authorization: 'Bearer sk-local-stand-in' },
    });
    if (body === null) throw new Error(`there is no file ${fileId}`);
    await pipeline(Readable.fromWeb(body), createWriteStream(path));
    const milliseconds = performance.now() - started;
    return { result: await use(path), milliseconds };
  });
}

interface PlainParse {
  readonly bytes: number;
  readonly rows: number;
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
}

/** What reading a file of JSON lines takes at least: every line read and parsed, and thrown away. */
export async function plainParse(path: string): Promise<PlainParse> {
  const started = performance.now();
  const before = process.cpuUsage();
  let rows = 0;
  const lines = createInterface({ input: createReadStream(path) });
  lines.on('line', (line) => {
    JSON.parse(line);
    rows++;
  });
  await once(lines, 'close');
  const { user, system } = process.cpuUsage(before);
  const milliseconds = performance.now() - started;
  return {
    bytes: (await stat(path)).size,
    rows,
    milliseconds,
    cpuMilliseconds: (user + system) / 1_000,
  };
}
