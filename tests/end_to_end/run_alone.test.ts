import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import { idleTransitions } from 'receipts-cli/estimate/scheduled_run';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { BatchStack } from '../support/batch_stack.ts';
import { expectInvariants } from '../support/invariants.ts';
import { statesEntered } from '../support/run_account.ts';
import { sharing } from '../support/shared_stacks.ts';
import { smallReceipts } from '../support/stack_receipts.ts';
import { finishedRun } from '../support/test_stack.ts';

// Not proved here: that DescribeExecution on AWS is as late as its reference says it may be.

let stack: BatchStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

const RECEIPTS = 2;

beforeEach(async () => {
  await stack.reset();
  await stack.load(smallReceipts(RECEIPTS));
});

/** What each schedule of the realtime workflow starts it with. */
const SCHEDULED = { filter_by_embedding_status: 'NONE', alone: true };
const FULL_RUN = { alone: true };

type Workflow = Parameters<BatchStack['local']['execute']>[1];

async function end(arn: string): Promise<{ status: string; output: unknown }> {
  const { status, output } = await stack.local.aws.stepFunctions.waitForExecution(arn);
  return { status, output: JSON.parse(output ?? 'null') as unknown };
}

const endedAtOnce = (running_execution: string) => ({
  status: 'SUCCEEDED',
  output: { status: 'already_running', running_execution },
});

/** An execution that waits for OpenAI, until what is returned is called. */
async function running(
  input: Readonly<Record<string, unknown>>,
): Promise<{ arn: string; goOn: () => void }> {
  const goOn = stack.breakOpenAI({ hang: true });
  const arn = await stack.local.start(input);
  await vi.waitFor(
    () => {
      expect(stack.local.openai.requests.some(({ status }) => status === 'pending')).toBe(true);
    },
    { timeout: 30_000, interval: 20 },
  );
  return { arn, goOn };
}

describe('executions that are started alone', () => {
  it('at the same moment are one that works, and others that end at once and name it', async () => {
    const goOn = stack.breakOpenAI({ hang: true });
    const arns = await Promise.all([1, 2, 3].map(() => stack.local.start(SCHEDULED)));
    // The one that works waits for OpenAI until the others have ended.
    const ended: { arn: string; output: unknown }[] = [];
    const all = arns.map(async (arn) => {
      const { output } = await end(arn);
      ended.push({ arn, output });
    });
    await vi.waitFor(
      () => {
        expect(ended).toHaveLength(2);
      },
      { timeout: 30_000, interval: 20 },
    );
    const [worker = ''] = arns.filter((arn) => ended.every((one) => one.arn !== arn));
    expect(ended.map(({ output }) => output)).toStrictEqual(
      Array.from({ length: 2 }, () => endedAtOnce(worker).output),
    );

    goOn();
    await Promise.all(all);

    const { summary } = finishedRun(await stack.local.aws.stepFunctions.waitForExecution(worker));
    expect(summary).toMatchObject({ total: RECEIPTS, succeeded: RECEIPTS });
    await expectInvariants(stack);
  });

  it('go on once the one before has ended', async () => {
    expect((await stack.run(SCHEDULED)).summary).toMatchObject({ succeeded: RECEIPTS });
    const { execution, summary } = await stack.run(SCHEDULED);
    expect(summary).toMatchObject({ total: 0 });
    expect(await statesEntered(stack, execution.executionArn)).toBe(idleTransitions());
  });

  it('go on when the one before was stopped, which freed nothing itself', async () => {
    const { arn, goOn } = await running(SCHEDULED);
    await stack.local.aws.clients.sfn.send(new StopExecutionCommand({ executionArn: arn }));
    goOn();

    const { status, output } = await end(await stack.local.start(SCHEDULED));

    // Its functions finish the receipts that they have, before the next one lists what is NONE or after.
    expect([status, output]).toStrictEqual(['SUCCEEDED', expect.objectContaining({ failed: 0 })]);
  });

  it('do not end for those with another filter, or that did not ask to be alone', async () => {
    const { arn, goOn } = await running(SCHEDULED);
    const others = [
      await stack.local.start(FULL_RUN),
      await stack.local.start({ filter_by_embedding_status: 'NONE' }),
      await stack.local.start({ filter_by_embedding_status: 'NONE', alone: false }),
    ];
    const again = await stack.local.start(SCHEDULED);
    expect(await end(again)).toStrictEqual(endedAtOnce(arn));
    goOn();

    for (const other of others) {
      expect(await end(other)).toMatchObject({ status: 'SUCCEEDED', output: { failed: 0 } });
    }
    await end(arn);
    await expectInvariants(stack);
  });

  it('go on when the answer to taking the lock is lost, for it is their own already', async () => {
    stack.breakAws({
      when: ({ functionName, operation }) =>
        functionName === 'embedding-take-execution-lock-lambda-dev' && operation === 'UpdateItem',
      cut: true,
      moment: 'after',
      times: 1,
    });

    expect((await stack.run(SCHEDULED)).summary).toMatchObject({ succeeded: RECEIPTS });
  });

  it.each<[Workflow, string]>([
    ['batchSubmit', 'planned'],
    ['batchPoll', 'running'],
  ])('also of %s do not pile up', async (workflow, field) => {
    const functionName = `embedding-${workflow === 'batchSubmit' ? 'plan-batches' : 'list-pending-batches'}-lambda-dev`;
    let asked = false;
    const goOn = stack.breakAws({
      when: (request) => {
        const hit = request.functionName === functionName && request.operation === 'Query';
        asked ||= hit;
        return hit;
      },
      hang: true,
    });
    const first = await stack.local.start({ alone: true }, workflow);
    await vi.waitFor(
      () => {
        expect(asked).toBe(true);
      },
      { timeout: 30_000, interval: 20 },
    );

    const second = await stack.local.start({ alone: true }, workflow);
    expect(await end(second)).toStrictEqual(endedAtOnce(first));
    goOn();

    const { output } = await end(first);
    expect(output).toHaveProperty(field);
  });
});
