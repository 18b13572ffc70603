import {
  GetItemCommand,
  type GetItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { ObservedRequest } from 'embedded-aws/aws/faults';
import { childrenOf, historyOf } from './execution_histories.ts';
import type { TestStack } from './test_stack.ts';

/** What functions have asked of AWS since the account was opened, by what AWS bills. */
export class RunAccount {
  readonly #stack: TestStack;
  readonly #requests: ObservedRequest[] = [];
  readonly #invocationsBefore: number;

  constructor(stack: TestStack) {
    this.#stack = stack;
    this.#invocationsBefore = invocations(stack);
    stack.breakAws({
      // It strikes nothing: it only sees what comes.
      when: (request) => {
        if (request.functionName !== undefined) this.#requests.push(request);
        return false;
      },
      cut: true,
    });
  }

  get invocations(): number {
    return invocations(this.#stack) - this.#invocationsBefore;
  }

  s3Requests(method: 'GET' | 'PUT'): number {
    return this.#of('s3', (operation) => operation.startsWith(method)).length;
  }

  /** Rows of the table that were written, one by one or many in a request. */
  rowsWritten(): number {
    const single = ['UpdateItem', 'PutItem'];
    const many = ['BatchWriteItem', 'BatchExecuteStatement'];
    const batches = this.#of('dynamodb', (operation) => many.includes(operation));
    return (
      this.#of('dynamodb', (operation) => single.includes(operation)).length +
      batches.reduce((rows, { body }) => rows + rowsOf(body), 0)
    );
  }

  /**
   * Read request units of what functions have read, as the table counts them when it is asked the same once more; without
   * finding rows by their status, which are not found any more.
   */
  async readUnits(): Promise<number> {
    const { client } = this.#stack.local.table;
    let units = 0;
    for (const { operation, body } of this.#of('dynamodb', (name) =>
      ['Query', 'GetItem'].includes(name),
    )) {
      const input = JSON.parse(body.toString()) as QueryCommandInput & GetItemCommandInput;
      if (input.IndexName === 'GSI1') continue;
      const asked = { ...input, ReturnConsumedCapacity: 'TOTAL' } as const;
      const { ConsumedCapacity } = await (operation === 'Query'
        ? client.send(new QueryCommand(asked))
        : client.send(new GetItemCommand(asked)));
      units += ConsumedCapacity?.CapacityUnits ?? 0;
    }
    return units;
  }

  #of(service: string, isWanted: (operation: string) => boolean): readonly ObservedRequest[] {
    return this.#requests.filter(
      (request) => request.service === service && isWanted(request.operation),
    );
  }
}

/** How many states an execution and its child executions have entered. */
export async function statesEntered(stack: TestStack, executionArn: string): Promise<number> {
  const arns = [executionArn, ...(await childrenOf(stack, executionArn))];
  const histories = await Promise.all(arns.map((arn) => historyOf(stack, arn)));
  return histories.flat().filter(({ type }) => type?.endsWith('StateEntered')).length;
}

function invocations(stack: TestStack): number {
  return [...stack.local.aws.lambda.activity.values()].reduce(
    (sum, activity) => sum + activity.invocations,
    0,
  );
}

function rowsOf(body: Buffer): number {
  const { RequestItems = {}, Statements = [] } = JSON.parse(body.toString()) as {
    readonly RequestItems?: Readonly<Record<string, readonly unknown[]>>;
    readonly Statements?: readonly unknown[];
  };
  return Object.values(RequestItems).flat().length + Statements.length;
}
