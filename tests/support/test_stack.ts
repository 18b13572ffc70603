import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  paginateScan,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { AwsFaultRule, ObservedRequest } from 'embedded-aws/aws/faults';
import type { ExecutionDescription } from 'embedded-aws/step_functions/api/execution_view';
import type { Row, RowKey } from 'receipt-embedding/entities/keys';
import {
  type LocalStack,
  type LocalStackSettings,
  startLocalStack,
} from 'receipts-cli/local_stack';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { loadReceipts } from 'receipts-cli/table/load_receipts';
import type { FaultRule } from 'vendor-stand-ins/openai/faults';
import type { RealtimeSummary } from '../../simple_lambdas/summarize_execution/summary_schemas.ts';
import { emptyStores } from './stack_stores.ts';

/** An execution of the realtime workflow that reached its summary. */
export interface FinishedRun {
  readonly execution: ExecutionDescription;
  readonly summary: RealtimeSummary;
}

/** The functions, by their deployed names. */
export const FUNCTIONS = {
  find: 'embedding-find-receipts-realtime-lambda-dev',
  process: 'embedding-process-receipt-realtime-lambda-dev',
  summarize: 'embedding-summarize-execution-lambda-dev',
} as const;

/** BatchWriteItem's own limit. */
const BATCH = 25;

/**
 * A local stack that the tests of one file share: each begins with `reset`, and what it breaks is whole again then.
 * States are retried without a wait, and few functions run at a time: every environment is a worker of its own.
 */
export class TestStack {
  readonly local: LocalStack;
  /** All that functions wrote to their logs since the last reset. */
  readonly logs: string[];
  readonly #undo: (() => void)[] = [];
  #harmed = false;
  /** The latest environment of each function that asked AWS for anything. */
  readonly #environments = new Map<string, string>();

  constructor(local: LocalStack, logs: string[]) {
    this.local = local;
    this.logs = logs;
    local.aws.edge.faults.add({
      when: ({ functionName, accessKeyId }) => {
        if (functionName !== undefined && accessKeyId !== undefined) {
          this.#environments.set(accessKeyId, functionName);
        }
        return false;
      },
      cut: true,
    });
  }

  static async start<Stack extends TestStack>(
    this: new (local: LocalStack, logs: string[]) => Stack,
    { config = {}, ...rest }: LocalStackSettings = {},
  ): Promise<Stack> {
    const logs: string[] = [];
    const local = await startLocalStack({
      retryDelay: () => 0,
      enforceIam: true,
      onLog: (_, line) => logs.push(line),
      config: {
        max_concurrency: '3',
        batch_max_concurrency: '2',
        embedding_dimensions: '64',
        ...config,
      },
      ...rest,
    });
    return new this(local, logs);
  }

  async close(): Promise<void> {
    this.endFaults();
    await this.local.close();
  }

  /** Removes every fault, the last first. */
  endFaults(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo();
  }

  /** Removes every fault, row, object, vector and log line; environments stay warm. */
  async reset(): Promise<void> {
    this.endFaults();
    const keys = (await this.rows()).map(({ PK, SK }) => marshall({ PK, SK }));
    for (let at = 0; at < keys.length; at += BATCH) {
      const requests = keys.slice(at, at + BATCH).map((Key) => ({ DeleteRequest: { Key } }));
      await this.local.table.client.send(
        new BatchWriteItemCommand({ RequestItems: { [this.local.table.name]: requests } }),
      );
    }
    for (const Key of this.keys('')) {
      await this.local.aws.clients.s3.send(
        new DeleteObjectCommand({ Bucket: this.local.bucket, Key }),
      );
    }
    await emptyStores(this.local);
    this.logs.length = 0;
    this.#harmed = false;
  }

  /** Whether anything was broken, or killed, since the last reset: whoever dies leaves its mark. */
  get harmed(): boolean {
    return this.#harmed;
  }

  /**
   * Something that lasts until the next reset, and how it is undone.
   *
   * @param harms whether anything is broken, or dies, by it.
   * @returns undoes it sooner.
   */
  untilReset(undo: () => void, harms = true): () => void {
    if (harms) this.#harmed = true;
    this.#undo.push(undo);
    return undo;
  }

  /** A fault of AWS's, until the next reset. @returns ends it sooner. */
  breakAws(rule: AwsFaultRule): () => void {
    return this.untilReset(this.local.aws.edge.faults.add(rule));
  }

  /** A fault of OpenAI's, until the next reset. @returns ends it sooner. */
  breakOpenAI(rule: FaultRule): () => void {
    return this.untilReset(this.local.openai.fault(rule));
  }

  /** Gives a function other variables, as another deployment does, until the next reset. */
  configure(functionName: string, variables: Readonly<Record<string, string>>): void {
    const { lambda } = this.local.aws;
    const before = lambda.find(functionName);
    if (before === undefined) throw new Error(`there is no function ${functionName}`);
    const become = (configuration: typeof before): void => {
      lambda.createFunction(configuration);
      this.#endEnvironments(functionName);
    };
    become({ ...before, environment: { ...before.environment, ...variables } });
    this.untilReset(() => {
      become(before);
    }, false);
  }

  /** Kills every environment of a function, so that its next invocation is a cold start. */
  killEnvironments(functionName: string): void {
    this.#harmed = true;
    this.#endEnvironments(functionName);
  }

  #endEnvironments(functionName: string): void {
    for (const [accessKeyId, name] of this.#environments) {
      if (name === functionName) this.local.aws.lambda.kill(accessKeyId);
    }
  }

  async load(receipts: Iterable<SyntheticReceipt>): Promise<void> {
    await loadReceipts(this.local.table, receipts);
  }

  /** @throws when the execution ended before its summary. */
  async run(input: Readonly<Record<string, unknown>> = {}): Promise<FinishedRun> {
    return finishedRun(await this.local.execute(input));
  }

  /** Runs a workflow, and counts what it asked of OpenAI: every request with a good key, refused ones too. */
  async countingRequests<Result>(work: () => Promise<Result>): Promise<[Result, number]> {
    const before = new Set(this.local.openai.requests.map(({ inputs }) => inputs));
    const result = await work();
    const after = this.local.openai.requests.filter(({ inputs }) => !before.has(inputs));
    return [result, after.length];
  }

  invocations(functionName: string): number {
    return this.local.aws.lambda.activity.get(functionName)?.invocations ?? 0;
  }

  /** Every row of the table. */
  async rows(): Promise<Row[]> {
    const { client, name } = this.local.table;
    const rows: Row[] = [];
    for await (const { Items = [] } of paginateScan(
      { client },
      { TableName: name, ConsistentRead: true },
    )) {
      rows.push(...Items.map((item) => unmarshall(item) as Row));
    }
    return rows;
  }

  async rowsOfType(type: string): Promise<Row[]> {
    return (await this.rows()).filter((row) => row['TYPE'] === type);
  }

  async put(row: Row): Promise<void> {
    const { client, name } = this.local.table;
    await client.send(new PutItemCommand({ TableName: name, Item: marshall(row) }));
  }

  /** Sets attributes of a row, as other programs do. */
  async update(key: RowKey, attributes: Readonly<Record<string, unknown>>): Promise<void> {
    const { client, name } = this.local.table;
    const entries = Object.entries(attributes);
    await client.send(
      new UpdateItemCommand({
        TableName: name,
        Key: marshall({ PK: key.PK, SK: key.SK }),
        UpdateExpression: `SET ${entries.map((_, at) => `#a${at} = :v${at}`).join(', ')}`,
        ExpressionAttributeNames: Object.fromEntries(
          entries.map(([attribute], at) => [`#a${at}`, attribute]),
        ),
        ExpressionAttributeValues: marshall(
          Object.fromEntries(entries.map(([, value], at) => [`:v${at}`, value])),
        ),
      }),
    );
  }

  async delete({ PK, SK }: RowKey): Promise<void> {
    const { client, name } = this.local.table;
    await client.send(new DeleteItemCommand({ TableName: name, Key: marshall({ PK, SK }) }));
  }

  /** Keys of the bucket's objects. */
  keys(prefix: string): string[] {
    return this.local.aws.s3.listKeys(this.local.bucket, prefix);
  }

  /** Keys of all deltas. */
  deltaKeys(): string[] {
    return [...this.keys('lines/'), ...this.keys('words/')];
  }
}

/** @throws when the execution has no summary. */
export function finishedRun(execution: ExecutionDescription): FinishedRun {
  return { execution, summary: summaryOf(execution) as RealtimeSummary };
}

/**
 * The summary of an execution, as its output or as the cause of too many failures.
 *
 * @throws when it has neither.
 */
export function summaryOf({ status, output, error, cause }: ExecutionDescription): unknown {
  const summary =
    status === 'SUCCEEDED'
      ? output
      : error === 'TooManyFailed' || error === 'StoppedEarly'
        ? cause
        : undefined;
  if (summary === undefined) {
    throw new Error(`the execution ${status} with ${error ?? 'no error'}: ${cause ?? ''}`);
  }
  return JSON.parse(summary);
}

/** Requests of the function that processes a receipt. */
export function fromProcessReceipt({ functionName }: ObservedRequest): boolean {
  return functionName === FUNCTIONS.process;
}
