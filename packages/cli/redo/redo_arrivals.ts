import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { DeleteMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { sendArrivals } from 'receipt-embedding/arrivals/arrival_queue';
import { changedReceipts } from 'receipt-embedding/arrivals/changed_receipts';
import { contentId } from 'receipt-embedding/embeddings/content_id';
import { startExecution } from 'receipt-embedding/executions';
import { noteChange } from 'receipt-embedding/table/latest_changes';
import type { Table } from 'receipt-embedding/table/table';
import { noteArrivals } from '../../../simple_lambdas/note_arrivals/note_arrivals.ts';
import { WrongArgument } from '../command_line/arguments.ts';
import { EXIT, type ExitStatus, signalOf } from '../command_line/command.ts';
import { requireOutput, type StackOutputs, stackRegion } from '../command_line/deployed_stack.ts';
import { Screen } from '../command_line/screen.ts';
import { count, quantity } from '../command_line/text.ts';
import { watchCommand } from '../executions/start_execution.ts';
import { SILENT_LOGGER } from '../table/silent_logger.ts';
import {
  createArrivalClients,
  type FailedArrival,
  failedArrivals,
  readStreamPart,
} from './failed_arrivals.ts';
import type { RedoOptions } from './options.ts';
import type { RedoPorts } from './redo.ts';

interface Outcome {
  /** Messages that were in the queue. */
  messages: number;
  /** Receipts that wait to be embedded again. */
  receipts: number;
  /** Messages whose records the stream has no more. */
  readonly expired: FailedArrival[];
  /** Messages that stay in the queue: nobody knows what they say, or what they name could not be noted. */
  left: number;
}

/**
 * Sends what failed back to where receipts wait. Each message is deleted once its receipts have been sent: stopped in the middle, the
 * same command does the rest.
 *
 * @returns the exit status.
 * @throws WrongArgument in a stack that embeds nothing by itself on arrival, or where nobody can be asked.
 */
export async function redoArrivals(
  options: RedoOptions,
  { outputs, table }: { readonly outputs: StackOutputs; readonly table: Table },
  ports: RedoPorts,
): Promise<ExitStatus> {
  const screen = new Screen(options.json ? ports.messages : ports.out);
  const clients = ports.arrivalClients ?? createArrivalClients(stackRegion(outputs));
  const failedQueue = requireOutput(outputs, 'failed_arrivals_queue_url');
  const queue = { client: clients.sqs, url: requireOutput(outputs, 'arrivals_queue_url') };
  const { stop } = ports;
  const asked = async (question: string): Promise<boolean> => {
    if (options.yes) return true;
    if (ports.confirm !== undefined) return await ports.confirm(question);
    throw new WrongArgument(
      'Nothing was changed: there is no terminal to ask at. With --yes it does not ask, with --dry-run it changes nothing.',
    );
  };
  const end = (outcome: Outcome, status: ExitStatus): ExitStatus => {
    const { expired, ...counts } = outcome;
    const answer = { what: 'arrivals', ...counts, expired: expired.length };
    if (options.json) ports.out.write(`${JSON.stringify(answer)}\n`);
    return status;
  };

  const failed = await stop.orResult(() => failedArrivals(clients.sqs, failedQueue).count());
  const nothing: Outcome = { messages: 0, receipts: 0, expired: [], left: 0 };
  if (failed === 0) {
    screen.line('Nothing that arrived has failed.');
    return end(nothing, EXIT.done);
  }
  screen.line(`Arrivals that failed: ${quantity(failed, 'message')}`);
  if (options.dryRun) {
    screen.line('A dry run: nothing was changed.');
    return end({ ...nothing, messages: failed }, EXIT.done);
  }
  if (!(await stop.orResult(() => asked('Take them up again? [y/N] ')))) {
    screen.line('Nothing was changed.');
    return end({ ...nothing, messages: failed }, EXIT.failed);
  }

  const outcome = { ...nothing, expired: [] as FailedArrival[] };
  const signal = signalOf(stop);
  for await (const message of failedArrivals(clients.sqs, failedQueue).all()) {
    outcome.messages++;
    screen.progress(`${count(outcome.messages)} of ${count(failed)}`, outcome.messages / failed);
    const sent = await takeUp(message, { table, queue, streams: clients.streams });
    if (sent === 'expired') outcome.expired.push(message);
    else if (sent === 'left') outcome.left++;
    else {
      outcome.receipts += sent;
      await remove(clients.sqs, failedQueue, message);
    }
    if (signal.aborted) break;
  }
  screen.endProgress();
  screen.line(
    `${quantity(outcome.receipts, 'receipt')} will be embedded by themselves, if they have changed.`,
  );
  if (outcome.left > 0) {
    screen.failure(`${quantity(outcome.left, 'message')} stay: the command can be run again.`);
  }
  if (signal.aborted) return end(outcome, EXIT.interrupted);
  if (outcome.expired.length === 0) {
    return end(outcome, outcome.left === 0 ? EXIT.done : EXIT.failed);
  }

  screen.line(
    `Of ${quantity(outcome.expired.length, 'message')} the stream has the records no more (it keeps them for 24 hours). Only a full run finds what they changed.`,
  );
  if (!(await stop.orResult(() => asked('Start a full run? [y/N] ')))) {
    screen.line('They stay. By hand: npx receipts execute realtime');
    return end(outcome, EXIT.failed);
  }
  const stateMachineArn = requireOutput(outputs, 'realtime_embedding_sf_arn');
  const name = `redo-arrivals-${contentId(outcome.expired.map(({ id }) => id).join())}`;
  await startExecution(clients.sfn, { stateMachineArn, name, input: {} });
  for (const message of outcome.expired) await remove(clients.sqs, failedQueue, message);
  const execution = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  screen.lines(['A full run is started:', `  ${watchCommand(execution)}`]);
  return end(outcome, outcome.left === 0 ? EXIT.done : EXIT.failed);
}

/** @returns how many receipts were sent. */
async function takeUp(
  { content }: FailedArrival,
  {
    table,
    queue,
    streams,
  }: {
    readonly table: Table;
    readonly queue: Parameters<typeof sendArrivals>[0];
    readonly streams: DynamoDBStreamsClient;
  },
): Promise<number | 'expired' | 'left'> {
  if (content === undefined) return 'left';
  if ('receipts' in content) {
    await sendArrivals(queue, content.receipts);
    return content.receipts.length;
  }
  const records = await readStreamPart(streams, content);
  if (records === undefined) return 'expired';
  const { waiting, failed } = await noteArrivals(changedReceipts(records), {
    note: (receipt) => noteChange(table, receipt),
    send: (receipts) => sendArrivals(queue, receipts),
    logger: SILENT_LOGGER,
  });
  return failed === undefined ? waiting.length : 'left';
}

async function remove(sqs: SQSClient, QueueUrl: string, { handle }: FailedArrival): Promise<void> {
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: handle }));
}
