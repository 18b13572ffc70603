import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { parseJson } from 'receipt-embedding/local_files';
import { WrongArgument } from 'receipts-cli/command_line/arguments';
import { type OutputName, requireOutput } from 'receipts-cli/command_line/deployed_stack';
import { executionEnd, failureLine } from 'receipts-cli/executions/execution_end';
import { nextLines } from 'receipts-cli/executions/execution_report';
import { isExecutionArn } from 'receipts-cli/executions/start_execution';
import { executionsSection, type ExecutionView } from 'receipts-cli/status/sections';
import type { ConsolePorts } from './ports.ts';
import type { StreamedEvent } from './server.ts';
import { readStates, type StateView } from './states.ts';

/** The workflows, by the names that `status` has for them. */
const MACHINES = {
  realtime: 'realtime_embedding_sf_arn',
  batch_submit: 'batch_submit_sf_arn',
  batch_poll: 'batch_poll_sf_arn',
} as const satisfies Readonly<Record<string, OutputName>>;

export interface ListedRun extends ExecutionView {
  readonly arn: string;
  readonly workflow: string;
}

/** The newest executions of each workflow, all together newest first. */
export async function listRuns(
  { sfn, outputs, now }: ConsolePorts,
  most: number,
): Promise<ListedRun[]> {
  const { data } = await executionsSection({ sfn, outputs, now: now() }, most);
  return Object.entries(data as Record<keyof typeof MACHINES, readonly ExecutionView[]>)
    .flatMap(([workflow, executions]) => {
      const machine = requireOutput(outputs, MACHINES[workflow as keyof typeof MACHINES]);
      const stem = machine.replace(':stateMachine:', ':execution:');
      return executions.map((one) => ({ ...one, workflow, arn: `${stem}:${one.name}` }));
    })
    .toSorted((a, b) => (b.started_at ?? '').localeCompare(a.started_at ?? ''));
}

/** Executions of each workflow that `pace.listMs` is meant for. */
const LIST = 10;

/** The list, and again whenever it has changed. */
export async function* watchRuns(
  ports: ConsolePorts,
  most: number,
  signal: AbortSignal,
): AsyncGenerator<StreamedEvent> {
  for (let before = ''; !signal.aborted;) {
    const runs = await listRuns(ports, most);
    const text = JSON.stringify(runs);
    if (text !== before) yield { event: 'runs', data: runs };
    before = text;
    // Each that failed is a request of its own: a longer list is looked at less often.
    await ports.timing.sleep(ports.pace.listMs * Math.max(1, most / LIST), signal);
  }
}

/** An execution, of a workflow or of one item of its Map. */
export interface Run {
  readonly arn: string;
  readonly name: string;
  readonly status: string;
  readonly started_at: string | null;
  readonly stopped_at: string | null;
  readonly seconds: number;
  readonly input: unknown;
  /** What it gave back, or the summary that is its cause. */
  readonly output: unknown;
  readonly summary: Readonly<Record<string, unknown>> | null;
  readonly error: string | null;
  /** In words. */
  readonly cause: string | null;
  /** What is left to do. */
  readonly next: readonly string[];
  /** In the order in which they began; null where their history is not kept. */
  readonly states: readonly StateView[] | null;
}

/** @throws WrongArgument for what is no execution's ARN, or of another account's kind of thing. */
export function executionArn(query: URLSearchParams): string {
  const arn = query.get('arn') ?? '';
  if (!isExecutionArn(arn)) throw new WrongArgument('arn: expected the ARN of an execution');
  return arn;
}

/** Everything about one execution but its items. */
export async function readRun(
  { sfn, now }: ConsolePorts,
  arn: string,
  abortSignal: AbortSignal,
): Promise<Run> {
  const execution = await sfn.send(new DescribeExecutionCommand({ executionArn: arn }), {
    abortSignal,
  });
  const end = executionEnd(execution);
  const { error = null, cause = null } = failureLine(execution);
  const started = end.startDate ?? now();
  const until = end.stopDate ?? now();
  return {
    arn,
    name: execution.name ?? '',
    status: end.status,
    started_at: end.startDate?.toISOString() ?? null,
    stopped_at: end.stopDate?.toISOString() ?? null,
    seconds: Math.max(0, (until.getTime() - started.getTime()) / 1_000),
    input: parseJson(execution.input ?? 'null') ?? execution.input ?? null,
    output: end.output,
    summary: end.summary ?? null,
    error,
    cause,
    next: nextLines(end),
    states: await readStates(sfn, arn, abortSignal),
  };
}
