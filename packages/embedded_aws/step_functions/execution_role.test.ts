import { describe, expect, it } from 'vitest';
import {
  echo,
  type Fixture,
  functionArn,
  roleArn,
  startFixture,
} from './testing/stand_in_fixture.ts';

type Asked = readonly [action: string, resource: string];

const item = { Type: 'Task', Resource: functionArn };

/** A Map over a list in S3 behind a task, whose results go to S3. */
const STATES = {
  First: { ...item, ResultPath: null, Next: 'Items' },
  Items: {
    Type: 'Map',
    Label: 'Items',
    ItemReader: {
      Resource: 'arn:aws:states:::s3:getObject',
      ReaderConfig: { InputType: 'JSONL' },
      Parameters: { Bucket: 'lists', Key: 'list' },
    },
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      StartAt: 'Item',
      States: {
        Item: {
          ...item,
          Resource: 'arn:aws:states:::lambda:invoke',
          Parameters: { FunctionName: 'process', 'Payload.$': '$' },
          End: true,
        },
      },
    },
    ResultWriter: {
      Resource: 'arn:aws:states:::s3:putObject',
      Parameters: { Bucket: 'results', Prefix: 'run' },
    },
    ToleratedFailurePercentage: 100,
    End: true,
  },
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

/** Where results were written, without the Map Run's id. */
function resultKeys({ objects }: Fixture): string[] {
  return [...objects.keys()]
    .filter((key) => key.startsWith('results/'))
    .map((key) => key.replace(/^results\/run\/[^/]+\//, ''));
}

describe('an execution', () => {
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
    expect(resultKeys(fixture)).toStrictEqual(['SUCCEEDED_0.json', 'manifest.json']);
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
    expect(resultKeys(fixture)).toStrictEqual(['FAILED_0.json', 'manifest.json']);
    const [failed] = [...fixture.objects].filter(([key]) => key.endsWith('FAILED_0.json'));
    expect(JSON.parse(String(failed?.[1]))).toMatchObject([
      { Error: 'Lambda.AWSLambdaException' },
      { Error: 'Lambda.AWSLambdaException' },
    ]);
  });
});
