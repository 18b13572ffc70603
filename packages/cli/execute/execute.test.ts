import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { REGION } from 'embedded-aws/aws/client_settings';
import type { AwsFault } from 'embedded-aws/aws/faults';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { smallReceipts } from '../../../tests/support/stack_receipts.ts';
import { TestStack } from '../../../tests/support/test_stack.ts';
import type { ExecutePorts } from './execute.ts';
import {
  type Executed,
  executeOn,
  type ExecuteSettings,
  HURRIED_PACE,
} from './testing/execute_on.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await TestStack.start({ latencyMs: 10 });
});
afterAll(() => stack.close());
beforeEach(() => stack.reset());

async function execute(argv: readonly string[], settings?: ExecuteSettings): Promise<Executed> {
  const { url, credentials, deployment } = stack.local.aws;
  const outputs = deployment.outputs as Record<string, string>;
  return await executeOn({ url, outputs, region: REGION, credentials }, argv, settings);
}

/** What people's requests of this operation meet, after the first `after` of them. */
function breakPeoples(operation: string, fault: AwsFault, times = Infinity, after = 0): void {
  let requests = 0;
  stack.breakAws({
    when: (request) =>
      request.functionName === undefined && request.operation === operation && ++requests > after,
    ...fault,
    times,
  });
}

/** Receipts with these ids fail for good. */
function breakReceipts(ids: readonly string[]): void {
  stack.breakAws({
    when: ({ functionName = '', operation, body }) =>
      functionName.includes('process-receipt') &&
      operation === 'Query' &&
      ids.some((id) => body.includes(id)),
    status: 400,
    code: 'ValidationException',
  });
}

async function statusOf(executionArn: string): Promise<string | undefined> {
  const { sfn } = stack.local.aws.clients;
  return (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status;
}

/** The first ARN of an execution that was printed. */
function arnIn({ out }: Pick<Executed, 'out'>): string {
  return /arn:aws:states:\S+:execution:\S+/.exec(out.text)?.[0] ?? '';
}

/** How many were done, at each progress that was shown. */
function progressIn({ text }: { readonly text: string }): (readonly [number, number])[] {
  return [...text.matchAll(/([\d,]+) of ([\d,]+) receipt/g)].map(([, done = '', total = '']) => [
    Number(done.replaceAll(',', '')),
    Number(total.replaceAll(',', '')),
  ]);
}

describe('npx receipts execute realtime', () => {
  it('starts the workflow, and says how to watch it', async () => {
    const executed = await execute(['realtime', '--limit', '3']);

    const arn = arnIn(executed);
    expect([executed.status, executed.messages.text]).toStrictEqual([0, '']);
    expect(executed.out.lines).toStrictEqual([
      'Starting realtime-embedding-sf-dev',
      '  with {"limit":3}',
      `Started ${arn}`,
      `Watch it: npx receipts execute --watch ${arn}`,
    ]);
    expect(await stack.local.aws.stepFunctions.waitForExecution(arn)).toMatchObject({
      input: '{"limit":3}',
      status: 'SUCCEEDED',
    });
  });

  it('shows the progress of many receipts, which never goes back, to their end', async () => {
    await stack.load(smallReceipts(60));

    const { status, out, messages } = await execute(['realtime', '--wait']);

    expect([status, messages.text]).toStrictEqual([0, '']);
    const progress = progressIn(out);
    const done = progress.map(([items]) => items);
    expect(done).toStrictEqual(done.toSorted((a, b) => a - b));
    expect(new Set(progress.map(([, total]) => total))).toStrictEqual(new Set([60]));
    expect(done.at(-1)).toBe(60);
    // Without a terminal: a line for each tenth.
    expect(done.length).toBeGreaterThan(5);
    expect(done.length).toBeLessThanOrEqual(11);
    expect(out.text).toMatch(/, [\d.]+ a (second|minute), \d+ s left/);
    expect(out.text).toContain('60: 60 embedded, 0 reused, 0 skipped, 0 failed');
  });

  it('ends with 1 when too many failed: with failures as they come, and the summary', async () => {
    const receipts = smallReceipts(8);
    const failing = receipts.slice(0, 3).map(({ receipt }) => receipt.image_id);
    await stack.load(receipts);
    breakReceipts(failing);

    const { status, out } = await execute(['realtime', '--wait']);

    expect(status).toBe(1);
    const [meanwhile = '', atTheEnd = ''] = out.text.split('FAILED (TooManyFailed)');
    for (const id of failing) {
      expect(meanwhile).toContain(`  failed: ${id} `);
      expect(atTheEnd).toContain(`  failed: ${id} `);
    }
    expect(atTheEnd).toContain('8: 5 embedded, 0 reused, 0 skipped, 3 failed');
    expect(atTheEnd).toMatch(/Failures +3 \w+/);
  });

  it('prints one JSON object on stdout with --json, and the rest on stderr', async () => {
    await stack.load(smallReceipts(2));

    const { status, out, messages } = await execute([
      'realtime',
      '--limit',
      '1',
      '--wait',
      '--json',
    ]);

    expect(status).toBe(0);
    expect(JSON.parse(out.text)).toMatchObject({
      execution_arn: arnIn({ out: messages }),
      status: 'SUCCEEDED',
      started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
      output: { total: 1, succeeded: 1, failed: 0 },
      error: null,
      cause: null,
    });
    expect(progressIn(messages).at(-1)).toStrictEqual([1, 1]);
  });

  it('prints the summary of a failed execution as its output, with --json', async () => {
    const receipts = smallReceipts(1);
    await stack.load(receipts);
    breakReceipts(receipts.map(({ receipt }) => receipt.image_id));

    const { status, out } = await execute(['realtime', '--wait', '--json']);

    expect(status).toBe(1);
    expect(JSON.parse(out.text)).toMatchObject({
      status: 'FAILED',
      output: { total: 1, failed: 1 },
      error: 'TooManyFailed',
      cause: null,
    });
  });

  it('that finds nothing ends with a summary of nothing', async () => {
    const { status, out } = await execute(['realtime', '--filter', 'FAILED', '--wait']);

    expect(status).toBe(0);
    expect(out.text).toContain('Nothing to do  no receipt is left that it was to embed');
  });

  it('starts what --arn names, under the name that --name gives', async () => {
    const arn = stack.local.stateMachines.realtime;
    const { status, out } = await execute(['realtime', '--arn', arn, '--name', 'mine', '--wait'], {
      environment: {},
      servedStack: () => Promise.resolve(undefined),
    });

    expect(status).toBe(0);
    expect(out.text).toContain(`Started ${arn.replace('stateMachine', 'execution')}:mine\n`);
    expect(out.text).toContain('AWS starts the same name with the same input once');
    expect(out.text).toContain('https://us-east-1.console.aws.amazon.com/states/home');
  });

  it('is refused when the name is taken, with what to do', async () => {
    await execute(['realtime', '--name', 'taken', '--wait']);
    const { status, out, messages } = await execute([
      'realtime',
      '--name',
      'taken',
      '--limit',
      '1',
    ]);

    expect(status).toBe(2);
    expect(messages.text).toContain('There is an execution named taken already');
    expect(messages.text).toContain('npx receipts execute --watch arn:aws:states:us-east-1:');
    expect(out.text).not.toContain('Started');
  });

  it('starts one execution though the answer to the first request is lost', async () => {
    const { sfn } = stack.local.aws.clients;
    breakPeoples('StartExecution', { cut: true, moment: 'after' }, 1);
    const list = (): Promise<number> =>
      sfn
        .send(new ListExecutionsCommand({ stateMachineArn: stack.local.stateMachines.realtime }))
        .then(({ executions = [] }) => executions.length);
    const before = await list();

    const { status } = await execute(['realtime', '--wait'], { createClient: () => sfn });

    expect([status, await list()]).toStrictEqual([0, before + 1]);
  });
});

describe('npx receipts execute batch-submit and batch-poll', () => {
  it('submit and poll, with the progress of batches and their summaries', async () => {
    await stack.load(smallReceipts(2));

    const submitted = await execute(['batch-submit', '--entity', 'words', '--wait']);
    const polled = await execute(['batch-poll', '--wait']);

    expect([submitted.status, polled.status]).toStrictEqual([0, 0]);
    expect(submitted.out.text).toContain('1 of 1 batch');
    expect(submitted.out.text).toContain('1: 1 submitted, 0 dropped, 0 failed');
    expect(polled.out.text).toContain('1: 1 completed, 0 running, 0 failed');
  });

  it('are refused where the stack was deployed by a program without them', async () => {
    const environment = { AWS_ENDPOINT_URL: 'http://x', REALTIME_EMBEDDING_SF_ARN: 'arn' };
    const { status, messages } = await execute(['batch-poll'], { environment });

    expect(status).toBe(2);
    expect(messages.text).toContain(
      'no output batch_poll_sf_arn: it comes from another version of the program',
    );
  });
});

describe('watching an execution', () => {
  it.each([
    ['throttling', 'DescribeExecution', 'ThrottlingException', 'AWS asks for a slower pace'],
    [
      'throttling of its Map',
      'DescribeMapRun',
      'ThrottlingException',
      'AWS asks for a slower pace',
    ],
    ['a network that is cut', 'DescribeExecution', undefined, 'The connection to AWS is lost'],
  ])('survives %s', async (_, operation, code, line) => {
    await stack.load(smallReceipts(3));
    const fault: AwsFault = code === undefined ? { cut: true } : { status: 400, code };
    breakPeoples(operation, fault, 20, 1);

    const { status, out } = await execute(['realtime', '--wait'], {
      lookingAtItems: { perSecond: 0, atOnce: 0, inTotal: 0 },
    });

    expect(status).toBe(0);
    expect(out.lines.filter((text) => text.includes(line))).toHaveLength(1);
    expect(out.lines.filter((text) => text === '  AWS answers again')).toHaveLength(1);
    expect(out.text).toContain('3: 3 embedded');
  });

  it.each([
    ['expired credentials', 'DescribeExecution', 'ExpiredTokenException', 'have expired'],
    ['denied access', 'DescribeMapRun', 'AccessDeniedException', 'AWS denies access'],
  ])('ends with 3 on %s, and can be resumed', async (_, operation, code, words) => {
    await stack.load(smallReceipts(3));
    breakPeoples(operation, { status: 400, code }, Infinity, 1);

    const first = await execute(['realtime', '--wait'], {
      lookingAtItems: { perSecond: 0, atOnce: 0, inTotal: 0 },
    });
    const command = /npx receipts execute (--watch \S+)/.exec(first.messages.text)?.[1] ?? '';
    stack.endFaults();
    const second = await execute(command.split(' '));

    expect([first.status, second.status]).toStrictEqual([3, 0]);
    expect(first.messages.text).toContain(words);
    expect(first.messages.text).toContain('The execution goes on at AWS');
    expect(second.out.text).toContain('3: 3 embedded');
  });

  it('ends with 3 when the network stays away', async () => {
    await stack.load(smallReceipts(2));
    breakPeoples('DescribeExecution', { cut: true });

    const { status, out, messages } = await execute(['realtime', '--wait'], {
      pace: { ...HURRIED_PACE, giveUpAfterMs: 50 },
    });

    expect(status).toBe(3);
    expect(out.text).toContain('The connection to AWS is lost: trying again for');
    expect(messages.text).toContain("can't be reached");
    expect(messages.text).toContain('npx receipts execute --watch');
  });

  it('shows failures at the end only, where single receipts may not be looked at', async () => {
    const receipts = smallReceipts(4);
    await stack.load(receipts);
    breakReceipts(receipts.map(({ receipt }) => receipt.image_id));
    breakPeoples('ListExecutions', { status: 400, code: 'AccessDeniedException' });

    const { status, out } = await execute(['realtime', '--wait']);

    expect(status).toBe(1);
    const [meanwhile = '', atTheEnd = ''] = out.text.split('FAILED (TooManyFailed)');
    expect(meanwhile.match(/Failures show at the end only/g)).toHaveLength(1);
    expect(meanwhile).not.toContain('  failed: ');
    expect(atTheEnd.match(/^ {2}failed: /gm)).toHaveLength(4);
  });

  it('that nobody has started is refused', async () => {
    const arn = `${stack.local.stateMachines.realtime.replace('stateMachine', 'execution')}:none`;
    const { status, messages } = await execute(['--watch', arn]);

    expect(status).toBe(2);
    expect(messages.text).toContain('ExecutionDoesNotExist');
  });
});

describe('starting an execution', () => {
  it.each([
    ['expired credentials', 'ExpiredTokenException', 3, 'have expired'],
    ['denied access', 'AccessDeniedException', 3, 'AWS denies access'],
    ['no such state machine', 'StateMachineDoesNotExist', 2, 'AWS refuses it'],
  ])('ends as it should with %s, and leaves nothing to watch', async (_, code, wanted, words) => {
    breakPeoples('StartExecution', { status: 400, code });

    const { status, messages } = await execute(['realtime', '--wait']);

    expect(status).toBe(wanted);
    expect(messages.text).toContain(words);
    expect(messages.text).not.toContain('--watch');
  });
});

/** An execution that was let go may leave a receipt behind, which the next one finds gone: there may be more than two. */
const BEGUN = / 0 of \d+ receipts/;

describe('Ctrl-C while an execution is watched', () => {
  let goOn: () => void;
  beforeEach(async () => {
    await stack.load(smallReceipts(2));
    // It runs until it is let go.
    goOn = stack.breakOpenAI({ hang: true });
  });

  function interrupted(ask?: ExecutePorts['ask']): Promise<Executed> {
    return execute(['realtime', '--wait'], {
      interruptAt: BEGUN,
      ...(ask === undefined ? {} : { ask }),
    });
  }

  it('stops the execution for s, and waits until it is', async () => {
    const executed = await interrupted(() => Promise.resolve('s'));

    expect(executed.status).toBe(130);
    expect(await statusOf(arnIn(executed))).toBe('ABORTED');
    expect(executed.out.text).toMatch(/ {2}Stopping the execution …\n[^]* {2}Execution +ABORTED/);
  });

  it.each([
    ['w', ['w']],
    ['Enter', ['']],
    ['Ctrl-C again', [undefined]],
    ['w after what nobody understands', ['what?', ' W ']],
  ])('only stops watching for %s', async (_, answers) => {
    const left = [...answers];
    const executed = await interrupted(() => Promise.resolve(left.shift()));

    const arn = arnIn(executed);
    expect([executed.status, left]).toStrictEqual([130, []]);
    expect(await statusOf(arn)).toBe('RUNNING');
    expect(executed.out.lines.slice(-4)).toStrictEqual([
      'The execution goes on. Watch it again:',
      `  npx receipts execute --watch ${arn}`,
      'Stop it:',
      `  aws stepfunctions stop-execution --execution-arn ${arn}`,
    ]);
  });

  it('goes on for c, to the end', async () => {
    const { status, out } = await interrupted(() => {
      goOn();
      return Promise.resolve('c');
    });

    expect(status).toBe(0);
    expect(out.text).toContain(': 2 embedded');
  });

  it('needs no answer when the execution ends meanwhile', async () => {
    let takenBack = false;
    const { status, out } = await interrupted((_, signal) => {
      goOn();
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          takenBack = true;
          resolve(undefined);
        });
      });
    });

    expect([status, takenBack]).toStrictEqual([0, true]);
    expect(out.text).toContain(': 2 embedded');
  });

  it('only stops watching where there is no terminal to ask at', async () => {
    const executed = await interrupted();

    expect(executed.status).toBe(130);
    expect(await statusOf(arnIn(executed))).toBe('RUNNING');
  });

  it('ends with 3 when the execution may not be stopped, and says that it goes on', async () => {
    breakPeoples('StopExecution', { status: 400, code: 'AccessDeniedException' });
    const executed = await interrupted(() => Promise.resolve('s'));

    expect(executed.status).toBe(3);
    expect(executed.messages.text).toContain('AWS denies access');
    expect(executed.messages.text).toContain('The execution goes on at AWS');
    expect(await statusOf(arnIn(executed))).toBe('RUNNING');
  });

  it('ends with one JSON object too, with --json', async () => {
    const executed = await execute(['realtime', '--wait', '--json'], {
      interruptAt: BEGUN,
    });

    expect(executed.status).toBe(130);
    expect(JSON.parse(executed.out.text)).toStrictEqual({
      execution_arn: arnIn({ out: executed.messages }),
      status: 'RUNNING',
    });
  });
});
