import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  DescribeStateMachineCommand,
  DescribeStateMachineForExecutionCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  ListMapRunsCommand,
  ListStateMachinesCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { functionArn, Held, roleArn, startFixture, thrown } from '../testing/stand_in_fixture.ts';

const task = { Type: 'Task', Resource: functionArn, End: true };
const machineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:machine';
const executionArn = 'arn:aws:states:us-east-1:000000000000:execution:machine:nobody';

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
    const start = (input: string) =>
      client.send(
        new StartExecutionCommand({ stateMachineArn: create({ Work: task }), name: 'one', input }),
      );
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

  it.each([
    ['two words', 'InvalidName', "Invalid Name: 'two words'"],
    ['a/b', 'InvalidName', "Invalid Name: 'a/b'"],
    ['a\u0007', 'InvalidName', "Invalid Name: 'a\u0007'"],
    [
      'x'.repeat(81),
      'ValidationException',
      `1 validation error detected: Value '${'x'.repeat(81)}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80`,
    ],
  ])('refuses the name %j', async (name, error, message) => {
    const { client, create } = await startFixture();
    const request = client.send(
      new StartExecutionCommand({ stateMachineArn: create({ Work: task }), name }),
    );
    expect(await refusal(request)).toStrictEqual([error, message]);
  });

  it('takes a name of 80 characters, and gives a UUID to an execution without one', async () => {
    const { client, create } = await startFixture();
    const stateMachineArn = create({ Work: task });
    const named = await client.send(
      new StartExecutionCommand({ stateMachineArn, name: 'é'.repeat(80) }),
    );
    const unnamed = await client.send(new StartExecutionCommand({ stateMachineArn }));
    expect(named.executionArn?.endsWith('é'.repeat(80))).toBe(true);
    expect(unnamed.executionArn).toMatch(/:machine:[0-9a-f-]{36}$/);
  });

  it('refuses an input that is no JSON', async () => {
    const { client, create } = await startFixture();
    const request = client.send(
      new StartExecutionCommand({ stateMachineArn: create({ Work: task }), input: '{limit: 10}' }),
    );
    const [name, message] = await refusal(request);
    expect(name).toBe('InvalidExecutionInput');
    expect(message).toMatch(/^Invalid State Machine Execution Input: '/);
  });

  it('takes an input of 262,144 bytes and refuses one more', async () => {
    const { client, create, standIn } = await startFixture();
    const stateMachineArn = create({ Stop: { Type: 'Succeed' } });
    // "é" takes two bytes: what counts is UTF-8.
    const input = `"é${'x'.repeat(262_140)}"`;
    const started = await client.send(new StartExecutionCommand({ stateMachineArn, input }));
    expect((await standIn.waitForExecution(started.executionArn ?? '')).output).toBe(input);
    const tooLarge = client.send(
      new StartExecutionCommand({ stateMachineArn, input: `${input} ` }),
    );
    expect((await refusal(tooLarge))[0]).toBe('InvalidExecutionInput');
  });

  it('tells a machine that is not there from an ARN that is none and from no ARN at all', async () => {
    const { client } = await startFixture();
    const start = (stateMachineArn: string | undefined) =>
      refusal(client.send(new StartExecutionCommand({ stateMachineArn })));
    expect(await start(machineArn)).toStrictEqual([
      'StateMachineDoesNotExist',
      `State Machine Does Not Exist: '${machineArn}'`,
    ]);
    expect(await start('machine')).toStrictEqual([
      'InvalidArn',
      "Invalid Arn: 'Invalid ARN prefix: machine'",
    ]);
    expect(await start(functionArn)).toStrictEqual([
      'InvalidArn',
      `Invalid Arn: 'Resource type not valid in this context: ${functionArn}'`,
    ]);
    expect(await start(undefined)).toStrictEqual([
      'ValidationException',
      "1 validation error detected: Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be null",
    ]);
  });
});

describe('requests for what is not there', () => {
  it('are answered with the error of each operation', async () => {
    const { client } = await startFixture();
    const mapRunArn = 'arn:aws:states:us-east-1:000000000000:mapRun:machine/label:id';
    const names = await Promise.all(
      [
        client.send(new DescribeExecutionCommand({ executionArn })),
        client.send(new StopExecutionCommand({ executionArn })),
        client.send(new GetExecutionHistoryCommand({ executionArn })),
        client.send(new DescribeStateMachineForExecutionCommand({ executionArn })),
        client.send(new ListMapRunsCommand({ executionArn })),
        client.send(new DescribeStateMachineCommand({ stateMachineArn: machineArn })),
        client.send(new ListExecutionsCommand({ stateMachineArn: machineArn })),
        client.send(new ListExecutionsCommand({ mapRunArn })),
        client.send(new DescribeMapRunCommand({ mapRunArn })),
      ].map(async (request) => (await refusal(request))[0]),
    );
    expect(names).toStrictEqual([
      'ExecutionDoesNotExist',
      'ExecutionDoesNotExist',
      'ExecutionDoesNotExist',
      'ExecutionDoesNotExist',
      'ExecutionDoesNotExist',
      'StateMachineDoesNotExist',
      'StateMachineDoesNotExist',
      'ResourceNotFound',
      'ResourceNotFound',
    ]);
  });

  it('names an operation that is unknown', async () => {
    const { url } = await startFixture();
    const call = async (headers: Record<string, string>, body = '{}') => {
      const response = await fetch(url, { method: 'POST', headers, body });
      return [response.status, ((await response.json()) as { __type: string }).__type];
    };
    expect(await call({ 'x-amz-target': 'AWSStepFunctions.TagResource' })).toStrictEqual([
      400,
      'UnknownOperationException',
    ]);
    expect(await call({})).toStrictEqual([400, 'UnknownOperationException']);
    expect(await call({ 'x-amz-target': 'AWSStepFunctions.StartExecution' }, '{')).toStrictEqual([
      400,
      'SerializationException',
    ]);
    expect(
      await call({ 'x-amz-target': 'AWSStepFunctions.StartExecution' }, '{"stateMachineArn":1}'),
    ).toStrictEqual([400, 'SerializationException']);
  });
});

describe('DescribeExecution', () => {
  it('has every field of a success', async () => {
    const { client, create, run } = await startFixture();
    const { executionArn: arn } = await run(create({ Work: task }), { a: 1 });
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
    const { client, create, run } = await startFixture();
    const arn = create({ Work: task });
    const definition = JSON.stringify({ StartAt: 'Work', States: { Work: task } });
    const described = await client.send(new DescribeStateMachineCommand({ stateMachineArn: arn }));
    expect(described).toMatchObject({
      stateMachineArn: machineArn,
      name: 'machine',
      status: 'ACTIVE',
      type: 'STANDARD',
      roleArn,
      definition,
      loggingConfiguration: { level: 'OFF', includeExecutionData: false },
    });
    const listed = await client.send(new ListStateMachinesCommand({}));
    expect(listed.stateMachines).toStrictEqual([
      {
        stateMachineArn: machineArn,
        name: 'machine',
        type: 'STANDARD',
        creationDate: described.creationDate,
      },
    ]);
    const { executionArn: started } = await run(arn);
    expect(
      await client.send(new DescribeStateMachineForExecutionCommand({ executionArn: started })),
    ).toMatchObject({ stateMachineArn: machineArn, definition, roleArn });
  });
});

describe('ListExecutions', () => {
  it('gives pages, newest first, and keeps its place while executions are added', async () => {
    const { client, create, standIn } = await startFixture();
    const stateMachineArn = create({ Work: task });
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
    const arn = create({ Work: task });
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

  it('refuses what it cannot list by', async () => {
    const { client, create } = await startFixture();
    const stateMachineArn = create({ Work: task });
    const refusals = await Promise.all(
      [
        {},
        { stateMachineArn, maxResults: 1_001 },
        { stateMachineArn, statusFilter: 'DONE' as 'FAILED' },
        { stateMachineArn, nextToken: 'x' },
      ].map(async (input) => (await refusal(client.send(new ListExecutionsCommand(input))))[0]),
    );
    expect(refusals).toStrictEqual([
      'ValidationException',
      'ValidationException',
      'ValidationException',
      'InvalidToken',
    ]);
  });
});

describe('GetExecutionHistory', () => {
  const summary = (event: HistoryEvent) => {
    const { timestamp, ...rest } = event;
    return { ...rest, hasTime: timestamp instanceof Date };
  };

  it('tells everything of a plain execution, each event with the one before it', async () => {
    const { create, run, history } = await startFixture(() => ({ payload: 'out' }));
    const answer = await run(create({ Work: { ...task, TimeoutSeconds: 5 } }), 'in');
    const text = (key: 'input' | 'output', value: string) => ({
      [key]: value,
      [`${key}Details`]: { truncated: false },
    });
    expect((await history(answer.executionArn)).map(summary)).toStrictEqual([
      {
        id: 1,
        previousEventId: 0,
        type: 'ExecutionStarted',
        hasTime: true,
        executionStartedEventDetails: { ...text('input', '"in"'), roleArn },
      },
      {
        id: 2,
        previousEventId: 1,
        type: 'TaskStateEntered',
        hasTime: true,
        stateEnteredEventDetails: { name: 'Work', ...text('input', '"in"') },
      },
      {
        id: 3,
        previousEventId: 2,
        type: 'LambdaFunctionScheduled',
        hasTime: true,
        lambdaFunctionScheduledEventDetails: {
          resource: functionArn,
          timeoutInSeconds: 5,
          ...text('input', '"in"'),
        },
      },
      { id: 4, previousEventId: 3, type: 'LambdaFunctionStarted', hasTime: true },
      {
        id: 5,
        previousEventId: 4,
        type: 'LambdaFunctionSucceeded',
        hasTime: true,
        lambdaFunctionSucceededEventDetails: text('output', '"out"'),
      },
      {
        id: 6,
        previousEventId: 5,
        type: 'TaskStateExited',
        hasTime: true,
        stateExitedEventDetails: { name: 'Work', ...text('output', '"out"') },
      },
      {
        id: 7,
        previousEventId: 6,
        type: 'ExecutionSucceeded',
        hasTime: true,
        executionSucceededEventDetails: text('output', '"out"'),
      },
    ]);
  });

  it('puts the events of every state in order, a Choice included', async () => {
    const { create, run, history } = await startFixture();
    const answer = await run(
      create({
        Choose: {
          Type: 'Choice',
          Choices: [{ Variable: '$.a', IsPresent: true, Next: 'Work' }],
          Default: 'Done',
        },
        Work: { Type: 'Task', Resource: functionArn, Next: 'Done' },
        Done: { Type: 'Succeed' },
      }),
      { a: 1 },
    );
    const events = await history(answer.executionArn);
    expect(
      events.map(({ id, previousEventId, type }) => [id, previousEventId, type]),
    ).toStrictEqual([
      [1, 0, 'ExecutionStarted'],
      [2, 1, 'ChoiceStateEntered'],
      [3, 2, 'ChoiceStateExited'],
      [4, 3, 'TaskStateEntered'],
      [5, 4, 'LambdaFunctionScheduled'],
      [6, 5, 'LambdaFunctionStarted'],
      [7, 6, 'LambdaFunctionSucceeded'],
      [8, 7, 'TaskStateExited'],
      [9, 8, 'SucceedStateEntered'],
      [10, 9, 'SucceedStateExited'],
      [11, 10, 'ExecutionSucceeded'],
    ]);
  });

  it('gives pages in both orders, and no data when none is wanted', async () => {
    const { client, create, run } = await startFixture();
    const { executionArn: arn } = await run(create({ Work: task }), { a: 1 });
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
