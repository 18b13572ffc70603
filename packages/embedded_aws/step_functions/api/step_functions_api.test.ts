import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  type ListExecutionsCommandInput,
  ListMapRunsCommand,
  ListStateMachinesCommand,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import {
  functionArn,
  Held,
  roleArn,
  startFixture,
  task,
  thrown,
} from '../testing/stand_in_fixture.ts';

const machineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:machine';
const mapRunArn = 'arn:aws:states:us-east-1:000000000000:mapRun:machine/label:id';
const executionArn = 'arn:aws:states:us-east-1:000000000000:execution:machine:nobody';
const states = { Work: task() };

/** Name and message of the error that a request is answered with. */
async function refusal(request: Promise<unknown>): Promise<[string, string]> {
  try {
    await request;
  } catch (error) {
    if (error instanceof Error) return [error.name, error.message];
  }
  throw new Error('the request was not refused');
}

describe('StartExecution', () => {
  it('answers with the same execution for the same name and input while it runs', async () => {
    const held = new Held();
    const { client, create, standIn } = await startFixture(async (payload) => {
      await held.hold();
      return { payload };
    });
    const stateMachineArn = create(states);
    const start = (input: string) =>
      client.send(new StartExecutionCommand({ stateMachineArn, name: 'one', input }));
    const first = await start('{"a":1}');
    expect(first.executionArn).toBe('arn:aws:states:us-east-1:000000000000:execution:machine:one');
    await held.untilWaiting(1);
    const again = await start('{"a":1}');
    expect([again.executionArn, again.startDate]).toStrictEqual([
      first.executionArn,
      first.startDate,
    ]);
    const already = [
      'ExecutionAlreadyExists',
      "Execution Already Exists: 'arn:aws:states:us-east-1:000000000000:execution:machine:one'",
    ];
    expect(await refusal(start('{"a":2}'))).toStrictEqual(already);
    expect(held.waiting.length).toBe(1);
    held.releaseAll();
    await standIn.waitForExecution(first.executionArn ?? '');
    expect(await refusal(start('{"a":1}'))).toStrictEqual(already);
  });

  const tooLong = 'x'.repeat(81);
  const invalidInput = /^Invalid State Machine Execution Input: '/;

  it.each<[string, object, string, string | RegExp]>([
    ['a name of two words', { name: 'a b' }, 'InvalidName', "Invalid Name: 'a b'"],
    ['a name with a slash', { name: 'a/b' }, 'InvalidName', "Invalid Name: 'a/b'"],
    ['a bell in a name', { name: 'a\u0007' }, 'InvalidName', "Invalid Name: 'a\u0007'"],
    [
      'a name of 81 characters',
      { name: tooLong },
      'ValidationException',
      `1 validation error detected: Value '${tooLong}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80`,
    ],
    ['an input that is no JSON', { input: '{limit: 10}' }, 'InvalidExecutionInput', invalidInput],
    [
      'an input of 262,145 bytes',
      { input: `"x${'é'.repeat(131_071)}"` },
      'InvalidExecutionInput',
      invalidInput,
    ],
    [
      'an unknown machine',
      { stateMachineArn: `${machineArn}x` },
      'StateMachineDoesNotExist',
      `State Machine Does Not Exist: '${machineArn}x'`,
    ],
    [
      'what is no ARN',
      { stateMachineArn: 'x' },
      'InvalidArn',
      "Invalid Arn: 'Invalid ARN prefix: x'",
    ],
    [
      'the ARN of a function',
      { stateMachineArn: functionArn },
      'InvalidArn',
      `Invalid Arn: 'Resource type not valid in this context: ${functionArn}'`,
    ],
    [
      'no ARN',
      { stateMachineArn: undefined },
      'ValidationException',
      "1 validation error detected: Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be null",
    ],
  ])('refuses %s', async (_, input, error, message) => {
    const { client, create } = await startFixture();
    const command = new StartExecutionCommand({ stateMachineArn: create(states), ...input });
    const refused = await refusal(client.send(command));
    expect(refused).toStrictEqual([
      error,
      typeof message === 'string' ? message : (expect.stringMatching(message) as string),
    ]);
  });

  it('takes an input of 262,144 bytes and a name of 80 characters; without one it gives a UUID', async () => {
    const { client, create, standIn } = await startFixture();
    const stateMachineArn = create({ Stop: { Type: 'Succeed' } });
    const input = `"${'é'.repeat(131_071)}"`;
    const name = 'é'.repeat(80);
    const started = await client.send(new StartExecutionCommand({ stateMachineArn, name, input }));
    expect(Buffer.byteLength(input)).toBe(262_144);
    expect((await standIn.waitForExecution(started.executionArn ?? '')).output).toBe(input);
    expect(started.executionArn?.endsWith(name)).toBe(true);
    const unnamed = await client.send(new StartExecutionCommand({ stateMachineArn }));
    expect(unnamed.executionArn).toMatch(/:machine:[0-9a-f-]{36}$/);
  });
});

describe('a request', () => {
  it.each<[string, string, (client: SFNClient) => Promise<unknown>]>([
    [
      'DescribeExecution',
      'ExecutionDoesNotExist',
      (client) => client.send(new DescribeExecutionCommand({ executionArn })),
    ],
    [
      'StopExecution',
      'ExecutionDoesNotExist',
      (client) => client.send(new StopExecutionCommand({ executionArn })),
    ],
    [
      'GetExecutionHistory',
      'ExecutionDoesNotExist',
      (client) => client.send(new GetExecutionHistoryCommand({ executionArn })),
    ],
    [
      'ListMapRuns',
      'ExecutionDoesNotExist',
      (client) => client.send(new ListMapRunsCommand({ executionArn })),
    ],
    [
      'DescribeStateMachine',
      'StateMachineDoesNotExist',
      (client) => client.send(new DescribeStateMachineCommand({ stateMachineArn: machineArn })),
    ],
    [
      'ListExecutions of a machine',
      'StateMachineDoesNotExist',
      (client) => client.send(new ListExecutionsCommand({ stateMachineArn: machineArn })),
    ],
    [
      'ListExecutions of a Map Run',
      'ResourceNotFound',
      (client) => client.send(new ListExecutionsCommand({ mapRunArn })),
    ],
    [
      'DescribeMapRun',
      'ResourceNotFound',
      (client) => client.send(new DescribeMapRunCommand({ mapRunArn })),
    ],
  ])('%s for what does not exist is answered with %s', async (_, error, send) => {
    const { client } = await startFixture();
    expect((await refusal(send(client)))[0]).toBe(error);
  });

  const start = { 'x-amz-target': 'AWSStepFunctions.StartExecution' };
  it.each<[Record<string, string>, string, string, string]>([
    [
      { 'x-amz-target': 'AWSStepFunctions.TagResource' },
      '{}',
      'UnknownOperationException',
      'TagResource is not implemented by the embedded Step Functions',
    ],
    [{}, '{}', 'UnknownOperationException', 'The request has no X-Amz-Target of AWSStepFunctions'],
    [start, '{', 'SerializationException', 'The request body is not valid JSON'],
    [
      start,
      '{"stateMachineArn":1}',
      'SerializationException',
      "Member 'stateMachineArn' must be a string",
    ],
  ])('with %j and the body %s is refused', async (headers, body, type, message) => {
    const { url } = await startFixture();
    const response = await fetch(url, { method: 'POST', headers, body });
    expect([response.status, await response.json()]).toStrictEqual([
      400,
      { __type: type, message },
    ]);
  });
});

describe('DescribeExecution', () => {
  it('has every field of a success', async () => {
    const { client, create, run } = await startFixture();
    const { executionArn: arn } = await run(create(states), { a: 1 });
    const { $metadata, ...answer } = await client.send(
      new DescribeExecutionCommand({ executionArn: arn }),
    );
    expect($metadata.httpStatusCode).toBe(200);
    expect(answer).toStrictEqual({
      executionArn: arn,
      stateMachineArn: machineArn,
      name: arn.split(':').at(-1),
      status: 'SUCCEEDED',
      startDate: expect.any(Date) as Date,
      stopDate: expect.any(Date) as Date,
      input: '{"a":1}',
      inputDetails: { included: true },
      output: '{"a":1}',
      outputDetails: { included: true },
      redriveCount: 0,
      redriveStatus: 'NOT_REDRIVABLE',
      redriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven',
    });
  });
});

describe('state machines', () => {
  it('are described and listed as they were created', async () => {
    const { client, create } = await startFixture();
    const described = await client.send(
      new DescribeStateMachineCommand({ stateMachineArn: create(states) }),
    );
    const listed = {
      stateMachineArn: machineArn,
      name: 'machine',
      type: 'STANDARD',
      creationDate: described.creationDate,
    };
    expect(described).toMatchObject({
      ...listed,
      status: 'ACTIVE',
      roleArn,
      definition: JSON.stringify({ StartAt: 'Work', States: states }),
      loggingConfiguration: { level: 'OFF', includeExecutionData: false },
    });
    const { stateMachines } = await client.send(new ListStateMachinesCommand({}));
    expect(stateMachines).toStrictEqual([listed]);
  });
});

describe('ListExecutions', () => {
  it('gives pages, newest first, and keeps its place while executions are added', async () => {
    const { client, create, standIn } = await startFixture();
    const stateMachineArn = create(states);
    const start = async (name: string) => {
      const started = await client.send(new StartExecutionCommand({ stateMachineArn, name }));
      await standIn.waitForExecution(started.executionArn ?? '');
    };
    for (const name of ['a', 'b', 'c']) await start(name);
    const page = (nextToken?: string) =>
      client.send(new ListExecutionsCommand({ stateMachineArn, maxResults: 2, nextToken }));
    const first = await page();
    await start('d');
    const second = await page(first.nextToken);
    const names = [first, second].map((answer) => answer.executions?.map(({ name }) => name));
    expect(names).toStrictEqual([['c', 'b'], ['a']]);
    expect(second.nextToken).toBe(undefined);
  });

  it('filters by status', async () => {
    const { client, create, run } = await startFixture((payload) =>
      payload === 1 ? thrown('Broken') : { payload },
    );
    const arn = create(states);
    const failed = await run(arn, 1);
    await run(arn, 2);
    const answer = await client.send(
      new ListExecutionsCommand({ stateMachineArn: arn, statusFilter: 'FAILED' }),
    );
    expect(answer.executions).toStrictEqual([
      {
        executionArn: failed.executionArn,
        stateMachineArn: arn,
        name: failed.name,
        status: 'FAILED',
        startDate: expect.any(Date) as Date,
        stopDate: expect.any(Date) as Date,
        redriveCount: 0,
      },
    ]);
  });

  it.each<[ListExecutionsCommandInput, string]>([
    [{ stateMachineArn: undefined }, 'ValidationException'],
    [{ mapRunArn }, 'ValidationException'],
    [{ maxResults: 1_001 }, 'ValidationException'],
    [{ statusFilter: 'DONE' as 'FAILED' }, 'ValidationException'],
    [{ nextToken: 'x' }, 'InvalidToken'],
  ])('refuses %j', async (input, error) => {
    const { client, create } = await startFixture();
    const command = new ListExecutionsCommand({ stateMachineArn: create(states), ...input });
    expect((await refusal(client.send(command)))[0]).toBe(error);
  });
});

describe('GetExecutionHistory', () => {
  it('tells everything of a plain execution, each event with the one before it', async () => {
    const { create, run, history } = await startFixture(() => ({ payload: 'out' }));
    const answer = await run(create({ Work: task({ TimeoutSeconds: 5 }) }), 'in');
    const text = (key: 'input' | 'output', value: unknown) => ({
      [key]: JSON.stringify(value),
      [`${key}Details`]: { truncated: false },
    });
    const lambda = { resource: 'invoke', resourceType: 'lambda' };
    const result = { ExecutedVersion: '$LATEST', Payload: 'out', StatusCode: 200 };
    expect(await history(answer.executionArn)).toStrictEqual(
      [
        {
          previousEventId: 0,
          type: 'ExecutionStarted',
          executionStartedEventDetails: { ...text('input', 'in'), roleArn },
        },
        {
          previousEventId: 0,
          type: 'TaskStateEntered',
          stateEnteredEventDetails: { name: 'Work', ...text('input', 'in') },
        },
        {
          previousEventId: 2,
          type: 'TaskScheduled',
          taskScheduledEventDetails: {
            ...lambda,
            region: 'us-east-1',
            parameters: JSON.stringify({ FunctionName: functionArn, Payload: 'in' }),
            timeoutInSeconds: 5,
          },
        },
        { previousEventId: 3, type: 'TaskStarted', taskStartedEventDetails: lambda },
        {
          previousEventId: 4,
          type: 'TaskSucceeded',
          taskSucceededEventDetails: { ...lambda, ...text('output', result) },
        },
        {
          previousEventId: 5,
          type: 'TaskStateExited',
          stateExitedEventDetails: { name: 'Work', ...text('output', 'out') },
        },
        {
          previousEventId: 6,
          type: 'ExecutionSucceeded',
          executionSucceededEventDetails: text('output', 'out'),
        },
      ].map((event, index) => ({
        id: index + 1,
        timestamp: expect.any(Date) as Date,
        ...event,
      })),
    );
  });

  it('gives pages in both orders, and no data when none is wanted', async () => {
    const { client, create, run } = await startFixture();
    const { executionArn: arn } = await run(create(states), { a: 1 });
    const ids = async (reverseOrder: boolean) => {
      const pages: (number | undefined)[][] = [];
      let nextToken: string | undefined;
      do {
        const page = await client.send(
          new GetExecutionHistoryCommand({
            executionArn: arn,
            reverseOrder,
            maxResults: 3,
            nextToken,
          }),
        );
        pages.push(page.events?.map(({ id }) => id) ?? []);
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      return pages;
    };
    expect(await ids(false)).toStrictEqual([[1, 2, 3], [4, 5, 6], [7]]);
    expect(await ids(true)).toStrictEqual([[7, 6, 5], [4, 3, 2], [1]]);
    const bare = await client.send(
      new GetExecutionHistoryCommand({ executionArn: arn, includeExecutionData: false }),
    );
    expect(bare.events?.[1]?.stateEnteredEventDetails).toStrictEqual({ name: 'Work' });
    expect(JSON.stringify(bare.events)).not.toContain('"a":1');
  });
});
