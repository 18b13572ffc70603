import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  DescribeStateMachineForExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import {
  type Fixture,
  functionArn,
  Held,
  startFixture,
  thrown,
  typesOf,
} from '../testing/stand_in_fixture.ts';

const item = { Type: 'Task', Resource: functionArn, End: true };
const map = (more: object = {}, executionType = 'STANDARD'): object => ({
  Type: 'Map',
  Label: 'Items',
  ItemProcessor: {
    ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: executionType },
    StartAt: 'Item',
    States: { Item: item },
  },
  End: true,
  ...more,
});

const reader = (inputType: string, more: object = {}): object => ({
  Resource: 'arn:aws:states:::s3:getObject',
  ReaderConfig: { InputType: inputType, ...more },
  Parameters: { 'Bucket.$': '$.bucket', Key: 'list' },
});

const writer = (config?: object, bucket = 'results'): object => ({
  Resource: 'arn:aws:states:::s3:putObject',
  Parameters: { Bucket: bucket, 'Prefix.$': "States.Format('runs/{}', $$.Execution.Name)" },
  ...(config === undefined ? {} : { WriterConfig: config }),
});

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
  it('gives the outputs of its children in the order of the items', async () => {
    const { create, run } = await startFixture((payload) => ({ payload: [payload] }));
    const answer = await run(create({ Each: map({ ItemsPath: '$.list' }) }), { list: ['a', 'b'] });
    expect(answer.output).toBe('[["a"],["b"]]');
  });

  it('shows in the history as a Map with a Map Run', async () => {
    const { create, run, history, client } = await startFixture();
    const answer = await run(create({ Each: map() }), [1, 2]);
    const events = await history(answer.executionArn);
    expect(typesOf(events)).toStrictEqual([
      'ExecutionStarted',
      'MapStateEntered',
      'MapRunStarted',
      'MapRunSucceeded',
      'MapStateExited',
      'ExecutionSucceeded',
    ]);
    expect(events[2]?.mapRunStartedEventDetails).toStrictEqual({
      mapRunArn: await mapRunOf(client, answer.executionArn),
    });
  });

  it('reads JSON lines with a selector, up to MaxItems', async () => {
    const { create, run, objects } = await startFixture();
    objects.set('data/list', Buffer.from('{"id":1}\n\n{"id":2}\r\n{"id":3}'));
    const answer = await run(
      create({
        Each: map({
          ItemReader: reader('JSONL', { MaxItems: 2 }),
          ItemSelector: {
            'id.$': '$$.Map.Item.Value.id',
            'index.$': '$$.Map.Item.Index',
            'force.$': '$.force',
          },
        }),
      }),
      { bucket: 'data', force: true },
    );
    expect(JSON.parse(answer.output ?? '')).toStrictEqual([
      { id: 1, index: 0, force: true },
      { id: 2, index: 1, force: true },
    ]);
  });

  it('reads a JSON array', async () => {
    const { create, run, objects } = await startFixture();
    objects.set('data/list', Buffer.from('[5, "é"]'));
    const answer = await run(create({ Each: map({ ItemReader: reader('JSON') }) }), {
      bucket: 'data',
    });
    expect(answer.output).toBe('[5,"é"]');
  });

  it.each([
    ['JSONL', undefined, 'Failed to read s3://data/list: The specified key does not exist.'],
    ['JSONL', '{}\n{', 's3://data/list, line 2 is not valid JSON'],
    ['JSON', '{}', 's3://data/list must hold a JSON array'],
  ])('fails with States.ItemReaderFailed: %s %j', async (type, body, cause) => {
    const { create, run, history, objects } = await startFixture();
    if (body !== undefined) objects.set('data/list', Buffer.from(body));
    const answer = await run(create({ Each: map({ ItemReader: reader(type) }) }), {
      bucket: 'data',
    });
    expect([answer.error, answer.cause]).toStrictEqual(['States.ItemReaderFailed', cause]);
    const events = await history(answer.executionArn);
    expect(typesOf(events).slice(-3)).toStrictEqual([
      'MapRunStarted',
      'MapRunFailed',
      'ExecutionFailed',
    ]);
    expect(events.at(-2)?.mapRunFailedEventDetails).toStrictEqual({
      error: 'States.ItemReaderFailed',
      cause,
    });
  });

  it('takes a Retry and a Catch of its own, each attempt with a Map Run of its own', async () => {
    const { create, run, client } = await startFixture();
    const answer = await run(
      create({
        Each: map({
          ItemReader: reader('JSON'),
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
            Item: {
              ...item,
              Parameters: { 'id.$': '$$.Execution.Id', 'input.$': '$$.Execution.Input' },
            },
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
      'LambdaFunctionScheduled',
      'LambdaFunctionStarted',
      'LambdaFunctionSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
    expect(
      await client.send(new DescribeStateMachineForExecutionCommand({ executionArn: childArn })),
    ).toMatchObject({ mapRunArn, label: 'Items' });
    // Children are listed with their Map Run, not with the state machine.
    const listed = await client.send(new ListExecutionsCommand({ stateMachineArn: arn }));
    expect(listed.executions?.map(({ executionArn }) => executionArn)).toStrictEqual([
      answer.executionArn,
    ]);
  });

  it('describes Express children, which have no history', async () => {
    const { create, run, client, objects } = await startFixture();
    const answer = await run(create({ Each: map({ ResultWriter: writer() }, 'EXPRESS') }), [1]);
    const entries = JSON.parse(written(objects)['SUCCEEDED_0.json'] ?? '') as {
      ExecutionArn: string;
    }[];
    const childArn = entries[0]?.ExecutionArn ?? '';
    expect(childArn).toMatch(/:express:machine\/Items:[0-9a-f-]{36}:[0-9a-f-]{36}$/);
    const child = await client.send(new DescribeExecutionCommand({ executionArn: childArn }));
    expect([answer.status, child.status, child.output]).toStrictEqual([
      'SUCCEEDED',
      'SUCCEEDED',
      '1',
    ]);
    const mapRunArn = await mapRunOf(client, answer.executionArn);
    const listed = await client.send(new ListExecutionsCommand({ mapRunArn }));
    expect(listed.executions?.map(({ executionArn }) => executionArn)).toStrictEqual([childArn]);
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
    let running = 0;
    let most = 0;
    const { create, run } = await startFixture(async (payload) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return { payload };
    });
    const arn = create({ Each: map({ MaxConcurrencyPath: '$.most', ItemsPath: '$.list' }) });
    const answer = await run(arn, { most: 4, list: numbers(50) });
    expect([answer.output, most]).toStrictEqual([JSON.stringify(numbers(50)), 4]);
  });

  it.each([
    [{ ToleratedFailurePercentage: 30 }, 3, 'SUCCEEDED'],
    [{ ToleratedFailurePercentage: 30 }, 4, 'FAILED'],
    [{ ToleratedFailureCount: 3 }, 3, 'SUCCEEDED'],
    [{ ToleratedFailureCount: 3 }, 4, 'FAILED'],
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

  it('runs 2,000 children and keeps the histories of the first 1,000 and of each failure', async () => {
    const { create, run, client, objects } = await startFixture((payload) =>
      payload === 1_999 ? thrown('Broken') : { payload: { id: payload } },
    );
    objects.set(
      'data/list',
      Buffer.from(
        numbers(2_000)
          .map((id) => JSON.stringify(id))
          .join('\n'),
      ),
    );
    const answer = await run(
      create({
        Each: map({
          MaxConcurrency: 50,
          ToleratedFailurePercentage: 100,
          ItemReader: reader('JSONL'),
          ResultWriter: writer({ Transformation: 'COMPACT', OutputType: 'JSONL' }),
        }),
      }),
      { bucket: 'data' },
    );
    expect(answer.status).toBe('SUCCEEDED');
    expect(written(objects)['SUCCEEDED_0.jsonl']).toBe(
      numbers(1_999)
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
      1_000,
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

  it('writes a manifest and the description of each child', async () => {
    const { create, run, client, objects } = await startFixture(broken);
    const arn = create({ Each: map({ ToleratedFailureCount: 1, ResultWriter: writer() }) });
    const answer = await run(arn, ['a', 'bad']);
    const mapRunArn = await mapRunOf(client, answer.executionArn);
    const folder = `runs/${answer.name}/${mapRunArn.split(':').at(-1) ?? ''}`;
    expect(JSON.parse(answer.output ?? '')).toStrictEqual({
      MapRunArn: mapRunArn,
      ResultWriterDetails: { Bucket: 'results', Key: `${folder}/manifest.json` },
    });
    const files = written(objects);
    expect(JSON.parse(files['manifest.json'] ?? '')).toStrictEqual({
      DestinationBucket: 'results',
      MapRunArn: mapRunArn,
      ResultFiles: {
        FAILED: [
          { Key: `${folder}/FAILED_0.json`, Size: Buffer.byteLength(files['FAILED_0.json'] ?? '') },
        ],
        PENDING: [],
        SUCCEEDED: [
          {
            Key: `${folder}/SUCCEEDED_0.json`,
            Size: Buffer.byteLength(files['SUCCEEDED_0.json'] ?? ''),
          },
        ],
      },
    });
    const described = await client.send(new DescribeMapRunCommand({ mapRunArn }));
    expect(described.itemCounts?.resultsWritten).toBe(2);
    const { executions = [] } = await client.send(new ListExecutionsCommand({ mapRunArn }));
    const [failure, success] = executions;
    const common = (child: typeof failure) => ({
      ExecutionArn: child?.executionArn,
      InputDetails: { Included: true },
      Name: child?.name,
      RedriveCount: 0,
      RedriveStatus: 'NOT_REDRIVABLE',
      RedriveStatusReason: expect.any(String) as string,
      StartDate: child?.startDate?.toISOString(),
      StateMachineArn: `${arn}/Items`,
      StopDate: child?.stopDate?.toISOString(),
    });
    expect(JSON.parse(files['SUCCEEDED_0.json'] ?? '')).toStrictEqual([
      {
        ...common(success),
        Input: '"a"',
        Output: '["a","out"]',
        OutputDetails: { Included: true },
        Status: 'SUCCEEDED',
      },
    ]);
    expect(JSON.parse(files['FAILED_0.json'] ?? '')).toStrictEqual([
      {
        ...common(failure),
        Input: '"bad"',
        Error: 'Broken',
        Cause: '{"errorType":"Broken","errorMessage":"no reason","trace":[]}',
        Status: 'FAILED',
      },
    ]);
  });

  it.each([
    [{ Transformation: 'COMPACT', OutputType: 'JSON' }, 'json', '[["a","out"],["b","out"]]'],
    [{ Transformation: 'COMPACT', OutputType: 'JSONL' }, 'jsonl', '["a","out"]\n["b","out"]\n'],
    [{ Transformation: 'FLATTEN', OutputType: 'JSON' }, 'json', '["a","out","b","out"]'],
    [{ Transformation: 'FLATTEN', OutputType: 'JSONL' }, 'jsonl', '"a"\n"out"\n"b"\n"out"\n'],
  ])('writes %j', async (config, extension, expected) => {
    const { create, run, objects } = await startFixture(broken);
    const arn = create({ Each: map({ ToleratedFailureCount: 1, ResultWriter: writer(config) }) });
    await run(arn, ['a', 'bad', 'b']);
    const files = written(objects);
    expect(Object.keys(files).sort()).toStrictEqual([
      `FAILED_0.${extension}`,
      `SUCCEEDED_0.${extension}`,
      'manifest.json',
    ]);
    expect(files[`SUCCEEDED_0.${extension}`]).toBe(expected);
    const failures = files[`FAILED_0.${extension}`]?.replace(/^\[|\]$/g, '') ?? '';
    expect(JSON.parse(failures)).toMatchObject({ Status: 'FAILED', Error: 'Broken' });
  });

  it('writes what is there, and what never started, when too many fail', async () => {
    const { create, run, objects } = await startFixture(() => thrown('Broken'));
    const answer = await run(create({ Each: map({ MaxConcurrency: 1, ResultWriter: writer() }) }), [
      'a',
      'b',
      'c',
    ]);
    expect(answer.error).toBe('States.ExceedToleratedFailureThreshold');
    const files = written(objects);
    const entries = (name: string) => JSON.parse(files[name] ?? '') as { Input: string }[];
    expect(entries('FAILED_0.json').map(({ Input }) => Input)).toStrictEqual(['"a"']);
    expect(entries('PENDING_0.json').map(({ Input }) => Input)).toStrictEqual(['"b"', '"c"']);
  });

  it('writes a manifest without files for no items', async () => {
    const { create, run, objects } = await startFixture();
    const answer = await run(create({ Each: map({ ResultWriter: writer() }) }), []);
    expect(answer.status).toBe('SUCCEEDED');
    expect(Object.keys(written(objects))).toStrictEqual(['manifest.json']);
  });

  it('fails with States.ResultWriterFailed when the bucket is not there', async () => {
    const { create, run } = await startFixture();
    const answer = await run(create({ Each: map({ ResultWriter: writer({}, 'missing') }) }), [1]);
    expect([answer.error, answer.cause]).toStrictEqual([
      'States.ResultWriterFailed',
      'The specified bucket does not exist',
    ]);
  });
});
