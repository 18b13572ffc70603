import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  type ExecutionListItem,
  ListExecutionsCommand,
  ListMapRunsCommand,
} from '@aws-sdk/client-sfn';
import { deltaKey } from 'receipt-embedding/object_keys';
import { parseJson } from 'receipt-embedding/local_files';
import { mapSettled } from 'receipt-embedding/settled_map';
import { z } from 'zod';
import { describeFailure } from '../../simple_lambdas/runtime/failures.ts';
import type { ConsolePorts } from './ports.ts';
import { readRun, type Run } from './runs.ts';
import type { StreamedEvent } from './server.ts';

/** An item of an execution's Map: a receipt, or a batch. */
export interface Item {
  readonly arn: string;
  /** `failed`, `running`, what the item's own output says (`success`, `skipped`, `completed`, …), or `ended` before it was asked for. */
  readonly outcome: string;
  readonly isFailed: boolean;
  /** What it is of; '' before its output was asked for. */
  readonly of: string;
  readonly seconds: number | null;
}

export interface ItemCounts {
  readonly total: number;
  readonly done: number;
  readonly running: number;
  readonly pending: number;
}

/** The items of a page of the grid: so many does one request list at most. */
const PAGE = 1_000;
const AT_ONCE = 8;
/** Outcomes that are kept: an item that has ended is asked for once. */
const MOST_KEPT = 50_000;

interface Outcome {
  readonly outcome: string;
  readonly isFailed: boolean;
  readonly of: string;
}

const outputSchema = z.object({
  status: z.string().optional(),
  image_id: z.string().optional(),
  receipt_id: z.int().optional(),
  batch_id: z.string().optional(),
  error: z.string().optional(),
  reused: z.boolean().optional(),
  run_id: z.string().optional(),
});

/** What became of items, as far as it was asked for: it does not change any more. */
export class Outcomes {
  readonly #kept = new Map<string, Outcome>();

  of(arn: string): Outcome | undefined {
    return this.#kept.get(arn);
  }

  async ask({ sfn }: ConsolePorts, arn: string, abortSignal: AbortSignal): Promise<void> {
    const { status, input, output } = await sfn.send(
      new DescribeExecutionCommand({ executionArn: arn }),
      { abortSignal },
    );
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(arn, outcomeOf(status ?? '', input, output));
  }
}

/** An item's failure is caught in its own execution, which ends SUCCEEDED and says so in its output. */
export function outcomeOf(
  status: string,
  input: string | undefined,
  output: string | undefined,
): Outcome {
  const told = outputSchema.safeParse(parseJson(output ?? 'null')).data ?? {};
  const asked = outputSchema.safeParse(parseJson(input ?? 'null')).data ?? {};
  const { batch_id = asked.batch_id, image_id = asked.image_id } = told;
  const receipt = told.receipt_id ?? asked.receipt_id;
  const of = batch_id ?? `${image_id ?? ''} ${receipt ?? ''}`.trim();
  if (status !== 'SUCCEEDED') return { outcome: 'failed', isFailed: true, of };
  const isFailed = told.status === 'error' || told.status === 'refused';
  if (isFailed) return { outcome: 'failed', isFailed, of };
  return { outcome: told.reused === true ? 'reused' : (told.status ?? 'success'), isFailed, of };
}

/** One execution, and its items of a page, as long as anything changes: `run`, `counts`, `items`, `more`, at last `end`. */
export async function* watchRun(
  ports: ConsolePorts,
  outcomes: Outcomes,
  { arn, after }: { readonly arn: string; readonly after: string | undefined },
  signal: AbortSignal,
): AsyncGenerator<StreamedEvent> {
  const sent = new Map<string, string>();
  const changed = (name: string, value: unknown): boolean => {
    const text = JSON.stringify(value);
    if (sent.get(name) === text) return false;
    sent.set(name, text);
    return true;
  };
  while (!signal.aborted) {
    const run = await readRun(ports, arn, signal);
    if (changed('', { ...run, seconds: 0 })) yield { event: 'run', data: run };
    const map = await readMap(ports, arn, after, signal);
    if (map !== undefined) {
      if (changed('counts', map.counts)) yield { event: 'counts', data: map.counts };
      if (changed('more', map.next)) yield { event: 'more', data: map.next };
      const unknown = map.listed.filter(
        ({ executionArn = '', status }) =>
          status !== 'RUNNING' && outcomes.of(executionArn) === undefined,
      );
      const asked = unknown.slice(0, ports.pace.itemsPerLook);
      await mapSettled(
        asked,
        ({ executionArn = '' }) => outcomes.ask(ports, executionArn, signal),
        { atOnce: AT_ONCE },
      );
      const items = map.listed
        .map((one) => itemOf(one, outcomes))
        .filter((item) => changed(item.arn, item));
      if (items.length > 0) yield { event: 'items', data: items };
      if (unknown.length > asked.length) {
        await ports.timing.sleep(ports.isLocal ? 0 : ports.pace.pollMs, signal);
        continue;
      }
    }
    if (run.status !== 'RUNNING') break;
    await ports.timing.sleep(ports.pace.pollMs, signal);
  }
  yield { event: 'end', data: null };
}

interface MapOfRun {
  readonly counts: ItemCounts;
  readonly listed: readonly ExecutionListItem[];
  readonly next: string | null;
}

async function readMap(
  { sfn }: ConsolePorts,
  executionArn: string,
  nextToken: string | undefined,
  abortSignal: AbortSignal,
): Promise<MapOfRun | undefined> {
  const options = { abortSignal };
  const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn }), options);
  const mapRunArn = mapRuns[0]?.mapRunArn;
  if (mapRunArn === undefined) return undefined;
  const { itemCounts: counts } = await sfn.send(new DescribeMapRunCommand({ mapRunArn }), options);
  const { executions = [], nextToken: next } = await sfn.send(
    new ListExecutionsCommand({ mapRunArn, maxResults: PAGE, nextToken }),
    options,
  );
  const { total = 0, running = 0, pending = 0 } = counts ?? {};
  return {
    counts: { total, running, pending, done: Math.max(0, total - running - pending) },
    listed: executions,
    next: next ?? null,
  };
}

function itemOf(
  { executionArn: arn = '', status, startDate, stopDate }: ExecutionListItem,
  outcomes: Outcomes,
): Item {
  const isRunning = status === 'RUNNING';
  const known = outcomes.of(arn) ?? {
    outcome: isRunning ? 'running' : 'ended',
    isFailed: !isRunning && status !== 'SUCCEEDED',
    of: '',
  };
  const seconds =
    startDate === undefined || stopDate === undefined
      ? null
      : (stopDate.getTime() - startDate.getTime()) / 1_000;
  return { arn, ...known, seconds };
}

/** One item: what it got, what it gave, and why not. */
export interface ItemRun extends Run {
  readonly outcome: string;
  readonly failure: { readonly error: string; readonly cause: string } | null;
  readonly image_id: string | null;
  readonly receipt_id: number | null;
  readonly batch_id: string | null;
  /** Where its vectors are kept, `s3://bucket/key`; none where it has made no run. */
  readonly deltas: readonly string[];
}

const failureSchema = z.object({ error: z.string(), cause: z.string() });

export async function readItem(
  ports: ConsolePorts,
  arn: string,
  signal: AbortSignal,
): Promise<ItemRun> {
  const run = await readRun(ports, arn, signal);
  const input = outputSchema.safeParse(run.input).data ?? {};
  const output = outputSchema.safeParse(run.output).data ?? {};
  const told = failureSchema.safeParse(run.output).data;
  const own = run.error === null ? undefined : { error: run.error, cause: run.cause ?? '' };
  const failure = told ?? own;
  return {
    ...run,
    outcome:
      run.status === 'RUNNING'
        ? 'running'
        : outcomeOf(run.status, JSON.stringify(run.input), JSON.stringify(run.output)).outcome,
    failure: failure === undefined ? null : describeFailure(failure),
    image_id: output.image_id ?? input.image_id ?? null,
    receipt_id: output.receipt_id ?? input.receipt_id ?? null,
    batch_id: output.batch_id ?? input.batch_id ?? null,
    deltas: deltasOf(ports, output.run_id),
  };
}

function deltasOf({ outputs }: ConsolePorts, runId: string | undefined): string[] {
  const bucket = outputs.chromadb_bucket_name;
  if (runId === undefined || bucket === undefined) return [];
  return (['lines', 'words'] as const).map(
    (collection) => `s3://${bucket}/${deltaKey(collection, runId)}`,
  );
}
