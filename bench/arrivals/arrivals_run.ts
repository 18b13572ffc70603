import '../../tests/support/function_environment.ts';
import type { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { sendArrivals } from 'receipt-embedding/arrivals/arrival_queue';
import { changedReceipts } from 'receipt-embedding/arrivals/changed_receipts';
import { receiptPath } from 'receipt-embedding/entities/keys';
import type { LatestChange } from 'receipt-embedding/table/latest_changes';
import type { ArrivalWork } from 'receipts-cli/estimate/arrival_costs';
import { SILENT_LOGGER } from 'receipts-cli/table/silent_logger';
import { Random } from 'receipts-cli/synthetic_receipts/random';
import { MOST_NAMED_RECEIPTS } from '../../simple_lambdas/find_receipts_realtime/declaration.ts';
import { noteArrivals } from '../../simple_lambdas/note_arrivals/note_arrivals.ts';
import { startArrivals } from '../../simple_lambdas/start_arrivals/start_arrivals.ts';
import { type Change, ReceiptsTable } from './receipts_table.ts';
import { SimulatedClock } from './simulated_clock.ts';
import { type SimulatedMessage, SimulatedQueue } from './simulated_queue.ts';
import { type SimulatedRecord, SimulatedStream } from './simulated_stream.ts';
import { SimulatedWorkflow, type WorkflowSettings } from './simulated_workflow.ts';
import { letReceiptsArrive } from './users.ts';

export interface ArrivalsSettings extends WorkflowSettings {
  readonly receipts: number;
  /** Within which all receipts begin to arrive. */
  readonly seconds: number;
  readonly seed: string;
  /** Of the table's stream. */
  readonly shards: number;
  readonly quietSeconds: number;
  /** Whether receipts are labelled, edited and deleted after they have arrived. */
  readonly later: boolean;
}

export interface ArrivalsResult {
  readonly work: ArrivalWork;
  readonly records: { readonly users: number; readonly own: number };
  /** Of note_arrivals: those that users' records brought about, and those with nothing but what executions wrote. */
  readonly noteInvocations: { readonly users: number; readonly own: number };
  /** Of start_arrivals: those that started an execution, and those whose receipts had all changed again. */
  readonly startInvocations: { readonly started: number; readonly waiting: number };
  readonly messages: number;
  /** Receipts of each execution. */
  readonly executions: readonly number[];
  readonly embedded: number;
  /** Receipts that an execution found up to date: a later one took a change along that came while it began. */
  readonly vain: number;
  readonly boughtTwice: number;
  /** Every change with the seconds until it was searchable. */
  readonly changes: readonly Change[];
  /** Simulated seconds in all. */
  readonly seconds: number;
  /** What must hold and does not. */
  readonly problems: readonly string[];
}

/** What one request of a function takes, seconds; the rest of an invocation takes as long as the other. */
const REQUEST_SECONDS = 0.01;
const FUNCTION_SECONDS = 0.1;

/** SQS takes 256 KiB in every region. */
const MOST_MESSAGE_BYTES = 262_144;

/**
 * Receipts arrive and change; the product's own functions note and start, between a simulated stream, queue and workflow. Notes are kept as
 * the table keeps them: each request takes effect at one moment, under its condition.
 */
export async function simulateArrivals(settings: ArrivalsSettings): Promise<ArrivalsResult> {
  const clock = new SimulatedClock();
  const random = new Random(`arrivals/${settings.seed}`);
  const counts = {
    ...{ own: 0, users: 0, started: 0, waiting: 0, ownRecords: 0 },
    ...{ written: 0, read: 0, deleted: 0 },
  };
  const problems = new Set<string>();
  const notes = new Map<string, string>();
  const startedFor = new Set<string>();

  const note = async ({ change, ...receipt }: LatestChange): Promise<boolean> => {
    await clock.sleep(REQUEST_SECONDS);
    counts.written++;
    const noted = notes.get(receiptPath(receipt));
    if (noted !== undefined && noted > change) return false;
    notes.set(receiptPath(receipt), change);
    return true;
  };
  const forget = async ({ change, ...receipt }: LatestChange): Promise<void> => {
    await clock.sleep(REQUEST_SECONDS);
    counts.deleted++;
    const started = `${receiptPath(receipt)} ${change}`;
    if (startedFor.has(started)) problems.add(`two executions were started for ${started}`);
    startedFor.add(started);
    if (notes.get(receiptPath(receipt)) === change) notes.delete(receiptPath(receipt));
  };

  const noteInvoked = async (records: readonly SimulatedRecord[]): Promise<void> => {
    await clock.sleep(FUNCTION_SECONDS);
    const isOwn = records.every(({ own }) => own);
    counts[isOwn ? 'own' : 'users']++;
    const changes = changedReceipts(records.map(({ record }) => record));
    counts.ownRecords += changes.own;
    if (isOwn && changes.receipts.length > 0) problems.add('a run wakes itself');
    const { failed } = await noteArrivals(changes, {
      note,
      send: async (receipts) => {
        await clock.sleep(REQUEST_SECONDS);
        await sendArrivals({ client: queueClient(queue), url: '' }, receipts);
      },
      logger: SILENT_LOGGER,
    });
    if (failed !== undefined) problems.add('a change could not be noted');
  };
  const startInvoked = async (messages: readonly SimulatedMessage[]): Promise<void> => {
    await clock.sleep(FUNCTION_SECONDS);
    const { executions } = await startArrivals(messages, {
      latestChanges: async (receipts) => {
        await clock.sleep(REQUEST_SECONDS);
        counts.read += receipts.length;
        const found = receipts.map((receipt) => [
          receiptPath(receipt),
          notes.get(receiptPath(receipt)),
        ]);
        return new Map(found.filter((pair): pair is [string, string] => pair[1] !== undefined));
      },
      start: async (name, receipts) => {
        await clock.sleep(REQUEST_SECONDS);
        workflow.start(name, receipts);
      },
      forget,
      logger: SILENT_LOGGER,
    });
    counts[executions > 0 ? 'started' : 'waiting']++;
  };

  const stream = new SimulatedStream(clock, settings.shards, noteInvoked);
  const queue = new SimulatedQueue(
    clock,
    random,
    { delaySeconds: settings.quietSeconds },
    startInvoked,
  );
  const table = new ReceiptsTable(clock, stream);
  const workflow = new SimulatedWorkflow(clock, table, settings);
  letReceiptsArrive(settings, { clock, table, random });
  await clock.run();

  const receipts = [...table.receipts.values()];
  for (const { path, version, embedded, runs, changes } of receipts) {
    if (embedded !== version) problems.add(`${path} is not embedded as it is now`);
    if (changes.length === 1 && runs !== 1) problems.add(`${path} was taken up ${runs} times`);
  }
  if (notes.size > 0) problems.add(`${notes.size} notes are left`);
  if (queue.left > 0) problems.add(`${queue.left} messages are left`);
  if (counts.ownRecords !== table.records.own) {
    problems.add('not every change of a status alone is told apart');
  }
  if (Math.max(0, ...workflow.executions) > MOST_NAMED_RECEIPTS) {
    problems.add('an execution has too many receipts');
  }
  if (queue.largestBytes > MOST_MESSAGE_BYTES) problems.add('a message is too large');
  return {
    work: {
      note_invocations: counts.users + counts.own,
      records: table.records.users + table.records.own,
      start_invocations: counts.started + counts.waiting,
      sqs_requests: queue.requests,
      notes_written: counts.written,
      notes_read: counts.read,
      notes_deleted: counts.deleted,
      executions: workflow.executions.length,
    },
    records: table.records,
    noteInvocations: { users: counts.users, own: counts.own },
    startInvocations: { started: counts.started, waiting: counts.waiting },
    messages: queue.messages,
    executions: workflow.executions,
    embedded: workflow.embedded,
    vain: receipts.reduce((sum, { vain }) => sum + vain, 0),
    boughtTwice: workflow.boughtTwice,
    changes: receipts.flatMap(({ changes }) => changes),
    seconds: clock.now,
    problems: [...problems],
  };
}

/** The product's own code makes the message. */
function queueClient(queue: SimulatedQueue): SQSClient {
  const client: Pick<SQSClient, never> & {
    send: (command: SendMessageCommand) => Promise<object>;
  } = {
    send: ({ input }) => {
      queue.send(input.MessageBody ?? '');
      return Promise.resolve({});
    },
  };
  return client as SQSClient;
}
