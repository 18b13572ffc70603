import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Service } from 'embedded-aws/http/service';
import { epochMilliseconds, toTimestamp } from 'receipt-embedding/entities/keys';
import { batchSummaryKey } from 'receipt-embedding/entities/batch';
import type { BatchStack } from '../../tests/support/batch_stack.ts';
import type { PlannedFault } from './chaos_plan.ts';

/**
 * Breaks what the plan says, until the next `mend`.
 *
 * @param onRequest called for each request of a function's to AWS.
 */
export function breakAsPlanned(
  stack: BatchStack,
  faults: readonly PlannedFault[],
  onRequest: () => void,
): void {
  stack.breakAws({
    when: ({ functionName }) => {
      if (functionName !== undefined) onRequest();
      return false;
    },
    cut: true,
  });
  for (const fault of faults) breakOne(stack, fault);
}

function breakOne(stack: BatchStack, planned: PlannedFault): void {
  const { skip, times, fault } = planned;
  switch (planned.at) {
    case 'aws':
      stack.breakAws({
        ...planned.fault,
        ...{ skip, times },
        when: ({ functionName = '' }) => functionName.includes(planned.by),
      });
      break;
    case 'openai':
      stack.breakOpenAI({ ...planned.fault, on: planned.on, skip, times });
      break;
    case 'pinecone':
      stack.breakPinecone({ ...planned.fault, skip, times });
      break;
    case 'lambda': {
      let toSkip = skip;
      stack.untilReset(
        stack.local.aws.invocations.fault({
          ...planned.fault,
          times,
          when: ({ functionName }) => functionName.includes(planned.of) && toSkip-- <= 0,
        }),
      );
      break;
    }
    default:
      throw new TypeError(`no such fault: ${JSON.stringify(fault)}`);
  }
}

/** More than any lease, and any wait for a next try that a batch may get. */
const PASSED_MS = 6 * 3_600_000;

/**
 * Lets hours pass for all batches, and for the marks of those who died in the middle of a receipt, while nobody is at work: what they say of
 * the past and future moves back.
 */
export async function passTime(stack: BatchStack): Promise<void> {
  for (const row of await stack.rowsOfType('EMBEDDED_RECEIPT')) {
    const marks = Object.entries(row['marks'] as Readonly<Record<string, string>>);
    if (marks.length === 0) continue;
    const moved = marks.map(([writer, since]) => [writer, earlier(epochMilliseconds(since))]);
    await stack.update(row, { marks: Object.fromEntries(moved) as unknown });
  }
  for (const { PK } of await stack.rowsOfType('BATCH_SUMMARY')) {
    await passTimeOf(stack, PK.slice('BATCH#'.length), /^(?!completed_at)/);
  }
}

/**
 * The time to settle after a creation whose answer was lost is half a minute of waiting in the function. It is over when the next
 * try begins, if no other invocation is at work on the batch any more.
 */
export function letTimePassBetweenTries(stack: BatchStack): void {
  const { edge, invocations } = stack.local.aws;
  const ordinary = edge.handle;
  const begun = new WeakSet();
  const passing = new Set<Promise<void>>();
  const handle: Service = async (request) => {
    // The requests that let time pass are nobody's function's.
    if (!String(request.headers.authorization).includes('Credential=ASIA'))
      return await ordinary(request);
    for (const invocation of invocations.running) {
      if (begun.has(invocation)) continue;
      begun.add(invocation);
      const id = batchOf(invocation.payload);
      const others = [...invocations.running].filter(({ payload }) => batchOf(payload) === id);
      if (id === undefined || others.length > 1) continue;
      const passed = passTimeOf(stack, id, /_since$/).finally(() => passing.delete(passed));
      passing.add(passed);
    }
    await Promise.all(passing);
    return await ordinary(request);
  };
  const replace = (service: Service): void => {
    Object.defineProperty(edge, 'handle', { value: service, configurable: true });
  };
  replace(handle);
  stack.untilReset(() => {
    replace(ordinary);
  });
}

function batchOf(payload: unknown): string | undefined {
  const { batch_id } = (payload ?? {}) as { readonly batch_id?: string };
  return batch_id;
}

function earlier(at: number): string {
  return toTimestamp(new Date(at - PASSED_MS));
}

async function passTimeOf(stack: BatchStack, batchId: string, which: RegExp): Promise<void> {
  const { client, name } = stack.local.table;
  const about = { TableName: name, Key: marshall(batchSummaryKey(batchId)) };
  const { Item } = await client.send(new GetItemCommand({ ...about, ConsistentRead: true }));
  const moved = Object.entries(Item === undefined ? {} : unmarshall(Item)).flatMap(
    ([attribute, value]): [string, string][] => {
      const at = typeof value === 'string' ? epochMilliseconds(value) : Number.NaN;
      if (!which.test(attribute) || Number.isNaN(at)) return [];
      return [[attribute, earlier(at)]];
    },
  );
  if (moved.length === 0) return;
  await client.send(
    new UpdateItemCommand({
      ...about,
      ConditionExpression: 'attribute_exists(PK)',
      UpdateExpression: `SET ${moved.map((_, at) => `#a${at} = :v${at}`).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(
        moved.map(([attribute], at) => [`#a${at}`, attribute]),
      ),
      ExpressionAttributeValues: marshall(
        Object.fromEntries(moved.map(([, value], at) => [`:v${at}`, value])),
      ),
    }),
  );
}
