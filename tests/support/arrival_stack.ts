import {
  DescribeExecutionCommand,
  type ExecutionListItem,
  ListExecutionsCommand,
} from '@aws-sdk/client-sfn';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import type { LocalStackSettings } from 'receipts-cli/local_stack';
import { TestStack } from './test_stack.ts';

/** The functions of arrivals, by their deployed names. */
export const ARRIVAL_FUNCTIONS = {
  note: 'embedding-note-arrivals-lambda-dev',
  start: 'embedding-start-arrivals-lambda-dev',
} as const;

/** No wait of a queue or mapping is longer than this, milliseconds. */
const LONGEST_DELAY = 20;

/**
 * A stack that embeds what arrives. Its tests share its table, and take receipts of their own: rows that a reset removes would be
 * changes too.
 */
export class ArrivalStack extends TestStack {
  /** Executions that were told of. */
  #seen = 0;

  static async arriving(settings: LocalStackSettings = {}): Promise<ArrivalStack> {
    return await ArrivalStack.start({
      eventDelay: (milliseconds) => Math.min(milliseconds, LONGEST_DELAY),
      ...settings,
      config: { embed_on_arrival: 'true', ...settings.config },
    });
  }

  /**
   * Waits until all that has arrived is embedded, and what that has written has arrived too.
   *
   * @returns what each execution since the last call was started for, in the order of their starts.
   */
  async settle(): Promise<readonly (readonly ReceiptIdentity[])[]> {
    const { eventSources, stepFunctions } = this.local.aws;
    for (;;) {
      await eventSources.idle();
      const running = (await this.#executions()).filter(({ status }) => status === 'RUNNING');
      if (running.length === 0 && eventSources.isIdle) break;
      for (const { executionArn = '' } of running)
        await stepFunctions.waitForExecution(executionArn);
    }
    const all = await this.#executions();
    const fresh = all.slice(0, all.length - this.#seen).reverse();
    this.#seen = all.length;
    return await Promise.all(fresh.map(({ executionArn }) => this.#receiptsOf(executionArn)));
  }

  /** Lets nobody take what waits, as if its time were not over. @returns lets it be taken. */
  holdQueue(): () => void {
    const { eventSources } = this.local.aws;
    const mapping = eventSources.all.find(
      ({ configuration }) => configuration.functionName === ARRIVAL_FUNCTIONS.start,
    );
    if (mapping === undefined) throw new Error('no function takes what waits');
    eventSources.setEnabled(mapping, false);
    return () => {
      eventSources.setEnabled(mapping, true);
    };
  }

  /** What the functions of arrivals have counted since the last call, added up over their invocations. */
  counted(): Readonly<Record<'records' | 'own_records' | 'receipts', number>> {
    const sums = { records: 0, own_records: 0, receipts: 0 };
    for (const line of this.logs.splice(0)) {
      const entry = logEntry(line);
      if (entry?.message !== 'changes noted') continue;
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += entry[name] ?? 0;
    }
    return sums;
  }

  /** Newest first. */
  async #executions(): Promise<readonly ExecutionListItem[]> {
    const { sfn } = this.local.aws.clients;
    const stateMachineArn = this.local.stateMachines.realtime;
    const { executions = [] } = await sfn.send(
      new ListExecutionsCommand({ stateMachineArn, maxResults: 1_000 }),
    );
    return executions;
  }

  async #receiptsOf(executionArn: string | undefined): Promise<readonly ReceiptIdentity[]> {
    const { sfn } = this.local.aws.clients;
    const { input = '{}' } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return (JSON.parse(input) as { readonly receipts?: ReceiptIdentity[] }).receipts ?? [];
  }
}

type LogEntry = { readonly message?: string } & Readonly<
  Partial<Record<'records' | 'own_records' | 'receipts', number>>
>;

function logEntry(line: string): LogEntry | undefined {
  try {
    return JSON.parse(line) as LogEntry;
  } catch {
    return undefined;
  }
}
