import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import {
  countingEcho,
  echo,
  type Fixture,
  functionArn,
  Held,
  roleArn,
  startFixture,
  task,
  thrown,
  typesOf,
} from '../testing/stand_in_fixture.ts';

const map = (more: object = {}, executionType = 'STANDARD'): object => ({
  Type: 'Map',
  Label: 'Items',
  ItemProcessor: {
    ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: executionType },
    StartAt: 'Item',
    States: { Item: task() },
  },
  End: true,
  ...more,
});

const reader = {
  Resource: 'arn:aws:states:::s3:getObject',
  ReaderConfig: { InputType: 'JSONL' },
  Parameters: { 'Bucket.$': '$.bucket', Key: 'list' },
};

const writer = (bucket = 'results'): object => ({
  Resource: 'arn:aws:states:::s3:putObject',
  Parameters: { Bucket: bucket, 'Prefix.$': "States.Format('runs/{}', $$.Execution.Name)" },
  WriterConfig: { Transformation: 'COMPACT', OutputType: 'JSONL' },
});

/** The lines of a file of results. */
const linesOf = (text = ''): unknown[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

async function mapRunOf(client: SFNClient, executionArn: string): Promise<string> {
  const { mapRuns } = await client.send(new ListMapRunsCommand({ executionArn }));
  const arn = mapRuns?.[0]?.mapRunArn;
  if (arn === undefined) throw new Error('there is no Map Run');
  return arn;
}

/** The objects that a run wrote, by the last part of their key. */
function written(objects: Fixture['objects']): Record<string, string> {
  return Object.fromEntries(
    [...objects]
      .filter(([key]) => key.startsWith('results/'))
      .map(([key, body]) => [key.split('/').at(-1) ?? '', body.toString()]),
  );
}

describe('a distributed Map', () => {
  it.each<[string, object, unknown, number]>([
    ['given items', { ItemsPath: '$.list' }, { list: [1, 2] }, 2],
    [
      'an ItemReader, whose items AWS has not counted yet',
      { ItemReader: reader },
      { bucket: 'data' },
      0,
    ],
  ])('shows in the history as a Map with a Map Run, with %s', async (_, more, input, length) => {
    const { create, run, history, client, objects } = await startFixture();
    objects.set('data/list', Buffer.from('1\n2'));
    const answer = await run(create({ Each: map(more) }), input);
    expect(answer.output).toBe('[1,2]');
    const events = await history(answer.executionArn);
    expect(events.map(({ previousEventId, type }) => [previousEventId, type])).toStrictEqual([
      [0, 'ExecutionStarted'],
      [0, 'MapStateEntered'],
      [2, 'MapStateStarted'],
      [3, 'MapRunStarted'],
      [4, 'MapRunSucceeded'],
      [5, 'MapStateSucceeded'],
      [5, 'MapStateExited'],
      [7, 'ExecutionSucceeded'],
    ]);
    expect(events[2]?.mapStateStartedEventDetails).toStrictEqual({ length });
    expect(events[3]?.mapRunStartedEventDetails).toStrictEqual({
      mapRunArn: await mapRunOf(client, answer.executionArn),
    });
  });

  it('reads JSON lines, and makes the input of each child with its ItemSelector', async () => {
    const { create, run, objects } = await startFixture();
    objects.set('data/list', Buffer.from('{"id":"é"}\n\n{"id":2}\r\n{"id":3}'));
    const ItemSelector = {
      'id.$': '$$.Map.Item.Value.id',
      'index.$': '$$.Map.Item.Index',
      'force.$': '$.force',
    };
    const answer = await run(create({ Each: map({ ItemReader: reader, ItemSelector }) }), {
      bucket: 'data',
      force: true,
    });
    expect(JSON.parse(answer.output ?? '')).toStrictEqual([
      { id: 'é', index: 0, force: true },
      { id: 2, index: 1, force: true },
      { id: 3, index: 2, force: true },
    ]);
  });

  it.each([
    [undefined, 'Failed to read s3://data/list: The specified key does not exist.'],
    ['{}\n{', 's3://data/list, line 2 is not valid JSON'],
  ])('fails with States.ItemReaderFailed: %j', async (body, cause) => {
    const { create, run, history, objects } = await startFixture();
    if (body !== undefined) objects.set('data/list', Buffer.from(body));
    const answer = await run(create({ Each: map({ ItemReader: reader }) }), { bucket: 'data' });
    expect([answer.error, answer.cause]).toStrictEqual(['States.ItemReaderFailed', cause]);
    const events = await history(answer.executionArn);
    expect(typesOf(events).slice(-5)).toStrictEqual([
      'MapStateStarted',
      'MapRunStarted',
      'MapRunFailed',
      'MapStateFailed',
      'ExecutionFailed',
    ]);
    expect(events.at(-3)?.mapRunFailedEventDetails).toStrictEqual({
      error: 'States.ItemReaderFailed',
      cause,
    });
  });

  it('takes a Retry and a Catch of its own, each attempt with a Map Run of its own', async () => {
    const { create, run, client, history } = await startFixture();
    const answer = await run(
      create({
        Each: map({
          ItemReader: reader,
          Retry: [{ ErrorEquals: ['States.ItemReaderFailed'], MaxAttempts: 1 }],
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }],
        }),
        Caught: { Type: 'Pass', OutputPath: '$.Error', End: true },
      }),
      { bucket: 'data' },
    );
    expect(answer.output).toBe('"States.ItemReaderFailed"');
    const { mapRuns } = await client.send(
      new ListMapRunsCommand({ executionArn: answer.executionArn }),
    );
    expect(mapRuns?.length).toBe(2);
    const attempt = ['MapStateStarted', 'MapRunStarted', 'MapRunFailed'];
    expect(typesOf(await history(answer.executionArn)).slice(2, -3)).toStrictEqual([
      ...[...attempt, ...attempt],
      'MapStateFailed',
      'MapStateExited',
    ]);
  });

  it('runs each child as an execution of its own', async () => {
    const seen: unknown[] = [];
    const { create, run, client, history } = await startFixture((payload) => {
      seen.push(payload);
      return { payload: 'done' };
    });
    const arn = create({
      Each: map({
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Item',
          States: {
            Item: task({
              Parameters: {
                FunctionName: functionArn,
                Payload: { 'id.$': '$$.Execution.Id', 'input.$': '$$.Execution.Input' },
              },
            }),
          },
        },
      }),
    });
    const answer = await run(arn, ['x']);
    const mapRunArn = await mapRunOf(client, answer.executionArn);
    const { executions = [] } = await client.send(new ListExecutionsCommand({ mapRunArn }));
    expect(executions.length).toBe(1);
    const childArn = executions[0]?.executionArn ?? '';
    expect(childArn).toMatch(
      /^arn:aws:states:us-east-1:000000000000:execution:machine\/Items:[0-9a-f-]{36}$/,
    );
    expect(mapRunArn).toMatch(
      /^arn:aws:states:us-east-1:000000000000:mapRun:machine\/Items:[0-9a-f-]{36}$/,
    );
    expect(seen).toStrictEqual([{ id: childArn, input: 'x' }]);
    expect(
      await client.send(new DescribeExecutionCommand({ executionArn: childArn })),
    ).toMatchObject({
      status: 'SUCCEEDED',
      input: '"x"',
      output: '"done"',
      mapRunArn,
      stateMachineArn: `${arn}/Items`,
    });
    expect(typesOf(await history(childArn))).toStrictEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
    // Children are listed with their Map Run, not with the state machine.
    const listed = await client.send(new ListExecutionsCommand({ stateMachineArn: arn }));
    expect(listed.executions?.map(({ executionArn }) => executionArn)).toStrictEqual([
      answer.executionArn,
    ]);
  });

  it('describes Express children, which have no history', async () => {
    const { create, run, client, objects } = await startFixture();
    const answer = await run(create({ Each: map({ ResultWriter: writer() }, 'EXPRESS') }), [1]);
    expect(written(objects)['SUCCEEDED_0.jsonl']).toBe('1\n');
    const mapRunArn = await mapRunOf(client, answer.executionArn);
    const listed = await client.send(new ListExecutionsCommand({ mapRunArn }));
    const childArn = listed.executions?.[0]?.executionArn ?? '';
    expect(childArn).toMatch(/:express:machine\/Items:[0-9a-f-]{36}:[0-9a-f-]{36}$/);
    const child = await client.send(new DescribeExecutionCommand({ executionArn: childArn }));
    expect([answer.status, child.status, child.output]).toStrictEqual([
      'SUCCEEDED',
      'SUCCEEDED',
      '1',
    ]);
    await expect(
      client.send(new GetExecutionHistoryCommand({ executionArn: childArn })),
    ).rejects.toMatchObject({ name: 'ExecutionDoesNotExist' });
  });
});

describe('a Map Run', () => {
  it('tells how far it is while it runs', async () => {
    const held = new Held();
    const { create, client, standIn } = await startFixture(async (payload) => {
      if (payload !== 0) await held.hold();
      return { payload };
    });
    const arn = create({ Each: map({ MaxConcurrency: 2, ToleratedFailurePercentage: 50 }) });
    const { executionArn = '' } = await client.send(
      new StartExecutionCommand({ stateMachineArn: arn, input: '[0,1,2,3]' }),
    );
    await held.untilWaiting(2);
    const mapRunArn = await mapRunOf(client, executionArn);
    const describeIt = () => client.send(new DescribeMapRunCommand({ mapRunArn }));
    const none = {
      failed: 0,
      timedOut: 0,
      aborted: 0,
      total: 4,
      resultsWritten: 0,
      failuresNotRedrivable: 0,
      pendingRedrive: 0,
    };
    const running = await describeIt();
    expect(running).toMatchObject({
      mapRunArn,
      executionArn,
      status: 'RUNNING',
      maxConcurrency: 2,
      toleratedFailurePercentage: 50,
      toleratedFailureCount: 0,
      redriveCount: 0,
    });
    const progress = { pending: 1, running: 2, succeeded: 1, ...none };
    expect([running.itemCounts, running.executionCounts]).toStrictEqual([progress, progress]);
    expect(running.stopDate).toBe(undefined);
    held.releaseAll();
    await held.untilWaiting(1);
    held.releaseAll();
    await standIn.waitForExecution(executionArn);
    const ended = await describeIt();
    expect([ended.status, ended.itemCounts]).toStrictEqual([
      'SUCCEEDED',
      { pending: 0, running: 0, succeeded: 4, ...none },
    ]);
    expect(ended.stopDate).toBeInstanceOf(Date);
  });

  it('never has more children at work than MaxConcurrency, and reaches it', async () => {
    const { lambda, most } = countingEcho();
    const { create, run } = await startFixture(lambda);
    const arn = create({ Each: map({ MaxConcurrency: 4 }) });
    const answer = await run(arn, numbers(50));
    expect([answer.output, most()]).toStrictEqual([JSON.stringify(numbers(50)), 4]);
  });

  it.each([
    [{ ToleratedFailurePercentage: 30 }, 3, 'SUCCEEDED'],
    [{ ToleratedFailurePercentage: 30 }, 4, 'FAILED'],
    [{ ToleratedFailurePercentage: 100 }, 10, 'SUCCEEDED'],
    [{}, 0, 'SUCCEEDED'],
    [{}, 1, 'FAILED'],
  ])('tolerates %j: %i failures of 10 → %s', async (tolerance, failures, status) => {
    const { create, run, client } = await startFixture((payload) =>
      Number(payload) < failures ? thrown('Broken') : { payload },
    );
    const answer = await run(
      create({ Each: map({ ...tolerance, MaxConcurrency: 1 }) }),
      numbers(10),
    );
    const mapRunArn = await mapRunOf(client, answer.executionArn);
    const described = await client.send(new DescribeMapRunCommand({ mapRunArn }));
    expect([answer.status, described.status]).toStrictEqual([status, status]);
    expect(answer.error).toBe(
      status === 'FAILED' ? 'States.ExceedToleratedFailureThreshold' : undefined,
    );
    expect([described.itemCounts?.failed, described.itemCounts?.pending]).toStrictEqual([
      failures,
      status === 'FAILED' ? 10 - failures : 0,
    ]);
  });

  it('is aborted with its execution, children included', async () => {
    const held = new Held();
    const signals: AbortSignal[] = [];
    const { create, client, standIn } = await startFixture(async (_, __, signal) => {
      signals.push(signal);
      await held.hold(signal);
      return { payload: null };
    });
    const arn = create({ Each: map({ MaxConcurrency: 2, ResultWriter: writer() }) });
    const { executionArn = '' } = await client.send(
      new StartExecutionCommand({ stateMachineArn: arn, input: '[1,2,3]' }),
    );
    await held.untilWaiting(2);
    const mapRunArn = await mapRunOf(client, executionArn);
    const children = await client.send(new ListExecutionsCommand({ mapRunArn }));
    await client.send(new StopExecutionCommand({ executionArn }));
    for (const child of children.executions ?? []) {
      await standIn.waitForExecution(child.executionArn ?? '');
    }
    const described = await client.send(new DescribeMapRunCommand({ mapRunArn }));
    expect(described).toMatchObject({
      status: 'ABORTED',
      itemCounts: { pending: 1, running: 0, aborted: 2, total: 3 },
    });
    expect(signals.map((signal) => signal.aborted)).toStrictEqual([true, true]);
    const { executions } = await client.send(
      new ListExecutionsCommand({ mapRunArn, statusFilter: 'ABORTED' }),
    );
    expect(executions?.length).toBe(2);
  });

  it('runs 1,100 children and keeps the histories of the first 1,000 and of each failure', async () => {
    const { create, run, client, objects } = await startFixture((payload) =>
      payload === 1_099 ? thrown('Broken') : { payload: { id: payload } },
    );
    objects.set(
      'data/list',
      Buffer.from(
        numbers(1_100)
          .map((id) => JSON.stringify(id))
          .join('\n'),
      ),
    );
    const answer = await run(
      create({
        Each: map({
          MaxConcurrency: 50,
          ToleratedFailurePercentage: 100,
          ItemReader: reader,
          ResultWriter: writer(),
        }),
      }),
      { bucket: 'data' },
    );
    expect(answer.status).toBe('SUCCEEDED');
    expect(written(objects)['SUCCEEDED_0.jsonl']).toBe(
      numbers(1_099)
        .map((id) => `{"id":${id}}\n`)
        .join(''),
    );
    const mapRunArn = await mapRunOf(client, answer.executionArn);
    const page = async (nextToken?: string) =>
      client.send(new ListExecutionsCommand({ mapRunArn, maxResults: 1_000, nextToken }));
    const newest = await page();
    const oldest = await page(newest.nextToken);
    expect([newest.executions?.length, oldest.executions?.length, oldest.nextToken]).toStrictEqual([
      1_000,
      100,
      undefined,
    ]);
    const eventsOf = async (executionArn: string | undefined) => {
      const answered = await client.send(new GetExecutionHistoryCommand({ executionArn }));
      return answered.events?.length;
    };
    expect(await eventsOf(oldest.executions?.at(-1)?.executionArn)).toBe(7);
    expect(await eventsOf(newest.executions?.[0]?.executionArn)).toBe(6);
    await expect(eventsOf(newest.executions?.[1]?.executionArn)).rejects.toMatchObject({
      name: 'ExecutionDoesNotExist',
    });
  });

  it('aborts the children at work when too many have failed', async () => {
    const held = new Held();
    const { create, run, client } = await startFixture(async (payload, _, signal) => {
      if (payload === 'waits') await held.hold(signal);
      await held.untilWaiting(1);
      return payload === 'waits' ? { payload } : thrown('Broken');
    });
    const answer = await run(create({ Each: map() }), ['waits', 'fails']);
    expect(answer.error).toBe('States.ExceedToleratedFailureThreshold');
    const mapRunArn = await mapRunOf(client, answer.executionArn);
    const described = await client.send(new DescribeMapRunCommand({ mapRunArn }));
    expect(described).toMatchObject({
      status: 'FAILED',
      itemCounts: { failed: 1, aborted: 1, running: 0, pending: 0 },
    });
  });

  it('fails rather than give more than 256 KiB without a ResultWriter', async () => {
    const { create, run } = await startFixture(() => ({ payload: 'x'.repeat(100_000) }));
    const answer = await run(create({ Each: map() }), [1, 2, 3]);
    expect([answer.status, answer.error]).toStrictEqual(['FAILED', 'States.DataLimitExceeded']);
  });
});

describe('a ResultWriter', () => {
  const broken = (payload: unknown) =>
    payload === 'bad' ? thrown('Broken') : { payload: [payload, 'out'] };

  it('writes the outputs of what succeeded, a description of what failed, and a manifest', async () => {
    const { create, run, client, objects } = await startFixture(broken);
    const arn = create({ Each: map({ ToleratedFailurePercentage: 50, ResultWriter: writer() }) });
    const answer = await run(arn, ['a', 'bad', 'b']);
    const mapRunArn = await mapRunOf(client, answer.executionArn);
    const folder = `runs/${answer.name}/${mapRunArn.split(':').at(-1) ?? ''}`;
    expect(JSON.parse(answer.output ?? '')).toStrictEqual({
      MapRunArn: mapRunArn,
      ResultWriterDetails: { Bucket: 'results', Key: `${folder}/manifest.json` },
    });
    const files = written(objects);
    const entry = (name: string) => ({
      Key: `${folder}/${name}`,
      Size: Buffer.byteLength(files[name] ?? ''),
    });
    expect(JSON.parse(files['manifest.json'] ?? '')).toStrictEqual({
      DestinationBucket: 'results',
      MapRunArn: mapRunArn,
      ResultFiles: {
        FAILED: [entry('FAILED_0.jsonl')],
        PENDING: [],
        SUCCEEDED: [entry('SUCCEEDED_0.jsonl')],
      },
    });
    expect(files['SUCCEEDED_0.jsonl']).toBe('["a","out"]\n["b","out"]\n');
    const described = await client.send(new DescribeMapRunCommand({ mapRunArn }));
    expect(described.itemCounts?.resultsWritten).toBe(3);
    const { executions = [] } = await client.send(
      new ListExecutionsCommand({ mapRunArn, statusFilter: 'FAILED' }),
    );
    const [failure] = executions;
    expect(linesOf(files['FAILED_0.jsonl'])).toStrictEqual([
      {
        Cause: '{"errorType":"Broken","errorMessage":"no reason","trace":[]}',
        Error: 'Broken',
        ExecutionArn: failure?.executionArn,
        Input: '"bad"',
        InputDetails: { Included: true },
        Name: failure?.name,
        RedriveCount: 0,
        RedriveStatus: 'NOT_REDRIVABLE',
        RedriveStatusReason: expect.any(String) as string,
        StartDate: failure?.startDate?.toISOString(),
        StateMachineArn: `${arn}/Items`,
        Status: 'FAILED',
        StopDate: failure?.stopDate?.toISOString(),
      },
    ]);
  });

  it('writes what exists, and what never started, when too many fail', async () => {
    const { create, run, objects } = await startFixture(() => thrown('Broken'));
    const states = { Each: map({ MaxConcurrency: 1, ResultWriter: writer() }) };
    const answer = await run(create(states), ['a', 'b', 'c']);
    expect(answer.error).toBe('States.ExceedToleratedFailureThreshold');
    const files = written(objects);
    expect(linesOf(files['FAILED_0.jsonl'])).toMatchObject([{ Input: '"a"', Status: 'FAILED' }]);
    expect(linesOf(files['PENDING_0.jsonl'])).toMatchObject([
      { Input: '"b"', Status: 'PENDING' },
      { Input: '"c"', Status: 'PENDING' },
    ]);
  });

  it('writes a manifest without files for no items', async () => {
    const { create, run, objects } = await startFixture();
    const answer = await run(create({ Each: map({ ResultWriter: writer() }) }), []);
    expect(answer.status).toBe('SUCCEEDED');
    expect(Object.keys(written(objects))).toStrictEqual(['manifest.json']);
  });

  it('fails with States.ResultWriterFailed when the bucket does not exist', async () => {
    const { create, run } = await startFixture();
    const answer = await run(create({ Each: map({ ResultWriter: writer('missing') }) }), [1]);
    expect([answer.error, answer.cause]).toStrictEqual([
      'States.ResultWriterFailed',
      'The specified bucket does not exist',
    ]);
  });
});

type Asked = readonly [action: string, resource: string];

/** A Map over a list in S3 behind a task, whose results go to S3. */
const STATES = {
  First: task({ OutputPath: '$', ResultPath: null, Next: 'Items' }),
  Items: map({
    ItemReader: { ...reader, Parameters: { Bucket: 'lists', Key: 'list' } },
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      StartAt: 'Item',
      States: { Item: task({ Parameters: { FunctionName: 'process', 'Payload.$': '$' } }) },
    },
    ResultWriter: writer(),
    ToleratedFailurePercentage: 100,
  }),
};

const INVOKE_FIRST: Asked = ['lambda:InvokeFunction', functionArn];
const INVOKE_ITEM: Asked = [
  'lambda:InvokeFunction',
  'arn:aws:lambda:us-east-1:000000000000:function:process',
];
const READ: Asked = ['s3:GetObject', 'arn:aws:s3:::lists/list'];
const START: Asked = [
  'states:StartExecution',
  'arn:aws:states:us-east-1:000000000000:stateMachine:machine',
];

/** Runs it over two items, where nothing is allowed that `denied` matches. */
async function run(denied: (...asked: Asked) => boolean) {
  const asked: Asked[] = [];
  const roles = new Set<string>();
  const fixture = await startFixture(echo, {
    authorize: (role, action, resource) => {
      roles.add(role);
      asked.push([action, resource]);
      if (denied(action, resource)) throw new Error(`${action} is not allowed`);
    },
  });
  fixture.objects.set('lists/list', Buffer.from('{"id":1}\n{"id":2}\n'));
  const { status, error, cause } = await fixture.run(fixture.create(STATES));
  return { asked, roles, ended: { status, error, cause }, fixture };
}

describe('the role of an execution', () => {
  it('makes its calls under the role of its state machine, and is asked for each', async () => {
    const { asked, roles, ended, fixture } = await run(() => false);

    expect(ended.status).toBe('SUCCEEDED');
    expect([...roles]).toStrictEqual([roleArn]);
    const [first, read, ...rest] = asked;
    expect([first, read]).toStrictEqual([INVOKE_FIRST, READ]);
    expect(rest.slice(0, -2).sort()).toStrictEqual([INVOKE_ITEM, INVOKE_ITEM, START, START]);
    expect(rest.slice(-2)).toStrictEqual(
      [...fixture.objects.keys()]
        .filter((key) => key.startsWith('results/'))
        .map((key) => ['s3:PutObject', `arn:aws:s3:::${key}`]),
    );
    expect(Object.keys(written(fixture.objects))).toStrictEqual([
      'SUCCEEDED_0.jsonl',
      'manifest.json',
    ]);
  });

  it.each<[string, (...asked: Asked) => boolean, string, string]>([
    [
      'a task',
      (_, resource) => resource === functionArn,
      'Lambda.AWSLambdaException',
      'lambda:InvokeFunction is not allowed (Service: Lambda, Status Code: 403)',
    ],
    [
      'the list of a Map',
      (action) => action === 's3:GetObject',
      'States.ItemReaderFailed',
      's3:GetObject is not allowed',
    ],
    [
      'the children of a Map',
      (action) => action === 'states:StartExecution',
      'States.Permissions',
      'states:StartExecution is not allowed',
    ],
    [
      'the results of a Map',
      (_, resource) => resource.endsWith('/manifest.json'),
      'States.ResultWriterFailed',
      's3:PutObject is not allowed',
    ],
  ])('fails where its role does not allow %s', async (_, denied, error, cause) => {
    const { ended } = await run(denied);
    expect(ended).toStrictEqual({ status: 'FAILED', error, cause });
  });

  it('has children that work under the same role', async () => {
    const { fixture, ended } = await run((_, resource) => resource === INVOKE_ITEM[1]);
    expect(ended.status).toBe('SUCCEEDED');
    expect(Object.keys(written(fixture.objects))).toStrictEqual([
      'FAILED_0.jsonl',
      'manifest.json',
    ]);
    expect(linesOf(written(fixture.objects)['FAILED_0.jsonl'])).toMatchObject([
      { Error: 'Lambda.AWSLambdaException' },
      { Error: 'Lambda.AWSLambdaException' },
    ]);
  });
});
