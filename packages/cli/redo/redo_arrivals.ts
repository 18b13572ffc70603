import { DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { sendArrivals } from 'receipt-embedding/arrivals/arrival_queue';
import { changedReceipts } from 'receipt-embedding/arrivals/changed_receipts';
import { contentId } from 'receipt-embedding/embeddings/content_id';
import { startExecution } from 'receipt-embedding/executions';
import { noteChange } from 'receipt-embedding/table/latest_changes';
import type { Table } from 'receipt-embedding/table/table';
import { noteArrivals } from '../../../simple_lambdas/note_arrivals/note_arrivals.ts';
import { EXIT, type ExitStatus, signalOf } from '../command_line/command.ts';
import { requireOutput, type StackOutputs, stackRegion } from '../command_line/deployed_stack.ts';
import { isWanted } from '../command_line/question.ts';
import { Screen } from '../command_line/screen.ts';
import { count, quantity } from '../command_line/text.ts';
import { executionArnOf, watchCommand } from '../executions/start_execution.ts';
import { messagesIn } from '../status/arrivals.ts';
import { SILENT_LOGGER } from '../table/silent_logger.ts';
import {
  type ArrivalClients,
  createArrivalClients,
  type FailedArrival,
  failedArrivals,
  readStreamPart,
} from './failed_arrivals.ts';
import { type RedoOptions, UNASKED } from './options.ts';
import type { RedoPorts } from './redo.ts';

/** What has become of the queue's messages. */
interface Outcome {
  readonly messages: number;
  /** Receipts that wait to be embedded again. */
  readonly receipts: number;
  /** Messages whose records the stream has no more. */
  readonly expired: number;
  /** Messages that stay: nobody knows what they say, or what they name could not be noted. */
  readonly left: number;
}

interface RedoneStack {
  readonly outputs: StackOutputs;
  readonly table: Table;
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
  stack: RedoneStack,
  ports: RedoPorts,
): Promise<ExitStatus> {
  const screen = new Screen(options.json ? ports.messages : ports.out);
  const redo = new ArrivalsRedo(options, stack, ports, screen);
  const { outcome, status } = await redo.run();
  if (options.json) ports.out.write(`${JSON.stringify({ what: 'arrivals', ...outcome })}\n`);
  return status;
}

class ArrivalsRedo {
  readonly #options: RedoOptions;
  readonly #stack: RedoneStack;
  readonly #ports: RedoPorts;
  readonly #screen: Screen;
  readonly #clients: ArrivalClients;
  readonly #failedQueue: string;
  readonly #queue: Parameters<typeof sendArrivals>[0];

  constructor(options: RedoOptions, stack: RedoneStack, ports: RedoPorts, screen: Screen) {
    const { outputs } = stack;
    this.#options = options;
    this.#stack = stack;
    this.#ports = ports;
    this.#screen = screen;
    this.#failedQueue = requireOutput(outputs, 'failed_arrivals_queue_url');
    this.#clients = ports.arrivalClients ?? createArrivalClients(stackRegion(outputs));
    const url = requireOutput(outputs, 'arrivals_queue_url');
    this.#queue = { client: this.#clients.sqs, url };
  }

  async run(): Promise<{ readonly outcome: Outcome; readonly status: ExitStatus }> {
    const { stop } = this.#ports;
    const { sqs } = this.#clients;
    const queue = failedArrivals(sqs, this.#failedQueue);
    const { visible: messages } = await stop.orResult(() => messagesIn(sqs, this.#failedQueue));
    const nothing = (status: ExitStatus, said: string) => {
      this.#screen.line(said);
      return { outcome: { messages, receipts: 0, expired: 0, left: 0 }, status };
    };
    if (messages === 0) return nothing(EXIT.done, 'Nothing that arrived has failed.');
    this.#screen.line(`Arrivals that failed: ${quantity(messages, 'message')}`);
    if (this.#options.dryRun) return nothing(EXIT.done, 'A dry run: nothing was changed.');
    if (!(await this.#asked('Take them up again?'))) {
      return nothing(EXIT.failed, 'Nothing was changed.');
    }
    const expired: FailedArrival[] = [];
    const left: FailedArrival[] = [];
    try {
      return await this.#takeUpAll(queue.all(), messages, { expired, left });
    } finally {
      // Nobody else would see them for a while.
      for (const message of [...expired, ...left]) await queue.giveBack(message);
    }
  }

  async #takeUpAll(
    all: AsyncIterable<FailedArrival>,
    expected: number,
    { expired, left }: Readonly<Record<'expired' | 'left', FailedArrival[]>>,
  ): Promise<{ readonly outcome: Outcome; readonly status: ExitStatus }> {
    const signal = signalOf(this.#ports.stop);
    let [messages, receipts] = [0, 0];
    for await (const message of all) {
      messages++;
      this.#screen.progress(`${count(messages)} of ${count(expected)}`, messages / expected);
      const sent = await this.#takeUp(message);
      if (sent === 'expired') expired.push(message);
      else if (sent === 'left') left.push(message);
      else {
        receipts += sent;
        await this.#remove(message);
      }
      if (signal.aborted) break;
    }
    this.#screen.endProgress();
    this.#screen.line(
      `${quantity(receipts, 'receipt')} will be embedded by themselves, if they have changed.`,
    );
    if (left.length > 0) {
      this.#screen.failure(
        left.length === 1
          ? '1 message stays: the command can be run again.'
          : `${count(left.length)} messages stay: the command can be run again.`,
      );
    }
    const outcome = { messages, receipts, expired: expired.length, left: left.length };
    if (signal.aborted) return { outcome, status: EXIT.interrupted };
    const found = expired.length === 0 || (await this.#startFullRun(expired));
    return { outcome, status: found && left.length === 0 ? EXIT.done : EXIT.failed };
  }

  /** @returns how many receipts were sent. */
  async #takeUp({ content }: FailedArrival): Promise<number | 'expired' | 'left'> {
    if (content === undefined) return 'left';
    if ('receipts' in content) {
      await sendArrivals(this.#queue, content.receipts);
      return content.receipts.length;
    }
    const records = await readStreamPart(this.#clients.streams, content);
    if (records === undefined) return 'expired';
    const { waiting, failed } = await noteArrivals(changedReceipts(records), {
      note: (receipt) => noteChange(this.#stack.table, receipt),
      send: (receipts) => sendArrivals(this.#queue, receipts),
      logger: SILENT_LOGGER,
    });
    return failed === undefined ? waiting.length : 'left';
  }

  /** @returns false when nobody wants it. */
  async #startFullRun(expired: FailedArrival[]): Promise<boolean> {
    this.#screen.line(
      `The stream no longer has the records of ${quantity(expired.length, 'message')}: it keeps them for 24 hours. Only a full run finds what they changed.`,
    );
    if (!(await this.#asked('Start a full run?'))) {
      this.#screen.line('They stay. By hand: npx receipts execute realtime');
      return false;
    }
    const stateMachineArn = requireOutput(this.#stack.outputs, 'realtime_embedding_sf_arn');
    const name = `redo-arrivals-${contentId(expired.map(({ id }) => id).join())}`;
    await startExecution(this.#clients.sfn, { stateMachineArn, name, input: {} });
    for (const message of expired.splice(0)) await this.#remove(message);
    const execution = executionArnOf(stateMachineArn, name);
    this.#screen.lines(['A full run is started:', `  ${watchCommand(execution)}`]);
    return true;
  }

  async #asked(question: string): Promise<boolean> {
    return this.#options.yes || (await isWanted({ question, unasked: UNASKED }, this.#ports));
  }

  async #remove({ handle }: FailedArrival): Promise<void> {
    const command = { QueueUrl: this.#failedQueue, ReceiptHandle: handle };
    await this.#clients.sqs.send(new DeleteMessageCommand(command));
  }
}
