import { describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import {
  findStackOutputs,
  type PulumiAnswer,
  pulumiOutputs,
  requireOutput,
  type RunPulumi,
} from './deployed_stack.ts';

const ARN = 'arn:aws:states:us-east-1:000000000000:stateMachine:realtime-embedding-sf-dev';
const LOCAL = { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566', REALTIME_EMBEDDING_SF_ARN: ARN };

const SERVED = {
  pid: 1,
  url: 'http://127.0.0.1:4567',
  variables: { REALTIME_EMBEDDING_SF_ARN: `${ARN}-served` },
};
const notLookedFor = () => Promise.reject(new Error('no local stack is looked for'));
const nothingServed = () => Promise.resolve(undefined);

/** Pulumi with these outputs, and which stacks it was asked for. */
function pulumi(outputs: unknown) {
  const asked: (string | undefined)[] = [];
  const pulumiOutputs = (stack: string | undefined): Promise<unknown> => {
    asked.push(stack);
    return Promise.resolve(outputs);
  };
  return { asked, pulumiOutputs };
}

describe('the outputs of a stack', () => {
  it("are the variables of npm start -- --serve, where those point at it; Pulumi isn't asked", async () => {
    const { asked, pulumiOutputs } = pulumi({});
    const environment = { ...LOCAL, BATCH_SUBMIT_SF_ARN: '', HOME: '/home/me' };
    const ports = { environment, pulumiOutputs, servedStack: notLookedFor };

    const outputs = await findStackOutputs(undefined, ports);

    expect([outputs, asked]).toStrictEqual([{ realtime_embedding_sf_arn: ARN }, []]);
  });

  it('are those of the stack that npm start -- --serve keeps up in this folder, and nothing needs to be exported', async () => {
    const { asked, pulumiOutputs } = pulumi({ chromadb_bucket_name: 'vectors' });
    const ports = { environment: {}, pulumiOutputs, servedStack: () => Promise.resolve(SERVED) };

    expect(await findStackOutputs(undefined, ports)).toStrictEqual({
      realtime_embedding_sf_arn: `${ARN}-served`,
    });
    expect(asked).toStrictEqual([]);
    expect(await findStackOutputs('prod', { ...ports, servedStack: notLookedFor })).toStrictEqual({
      chromadb_bucket_name: 'vectors',
    });
  });

  it.each([
    ['without an endpoint, of the selected stack', undefined, {}],
    ['with an empty endpoint too', undefined, { ...LOCAL, AWS_ENDPOINT_URL: '' }],
    ['of the stack that is named', 'prod', {}],
    ['of the stack that is named, whatever the environment says', 'prod', LOCAL],
  ])("are Pulumi's, %s", async (_, stack, environment) => {
    const { asked, pulumiOutputs } = pulumi({ chromadb_bucket_name: 'vectors' });

    const outputs = await findStackOutputs(stack, {
      environment,
      pulumiOutputs,
      servedStack: nothingServed,
    });

    expect([outputs, asked]).toStrictEqual([{ chromadb_bucket_name: 'vectors' }, [stack]]);
  });

  it('leave out what is no text, what is empty, and what is not known', async () => {
    const { pulumiOutputs } = pulumi({
      dynamodb_table_name: 'receipts',
      batch_bucket_name: '',
      batch_submit_sf_arn: null,
      dashboard_url: 7,
      another: 'output',
    });

    expect(
      await findStackOutputs('dev', { environment: {}, pulumiOutputs, servedStack: nothingServed }),
    ).toStrictEqual({
      dynamodb_table_name: 'receipts',
    });
  });

  it.each([
    ['nothing', {}, undefined, 'The selected stack has no outputs', '`npx pulumi up`'],
    ['nothing', {}, 'prod', 'The stack prod has no outputs', '`npx pulumi up --stack prod`'],
    ['no object', [], 'prod', 'The stack prod has no outputs', '`npx pulumi up --stack prod`'],
  ])('are missed when Pulumi has %s (%j, %s)', async (_, outputs, stack, what, command) => {
    const { pulumiOutputs } = pulumi(outputs);

    const error = await rejection(
      findStackOutputs(stack, { environment: {}, pulumiOutputs, servedStack: nothingServed }),
    );

    expect([error.name, error.message]).toStrictEqual([
      'WrongArgument',
      `${what}: it is not deployed. Deploy it with ${command}.`,
    ]);
  });

  it('are missed when only the endpoint was exported', async () => {
    const { pulumiOutputs } = pulumi({});
    const environment = { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' };

    const error = await rejection(
      findStackOutputs(undefined, { environment, pulumiOutputs, servedStack: notLookedFor }),
    );

    expect(error.name).toBe('WrongArgument');
    expect(error.message).toContain('AWS_ENDPOINT_URL is http://127.0.0.1:4566, but none');
    expect(error.message).toContain('eval "$(npx receipts env)"');
  });
});

describe('an output that is needed', () => {
  it('is given', () => {
    expect(requireOutput({ realtime_embedding_sf_arn: ARN }, 'realtime_embedding_sf_arn')).toBe(
      ARN,
    );
  });

  it.each([
    ['vector_bucket_arn', 'no store s3_vectors'],
    ['words_vector_index_arn', 'no store s3_vectors'],
    ['batch_poll_sf_arn', 'another version of the program'],
    ['realtime_embedding_sf_arn', 'another version of the program'],
  ] as const)('and missing says why: %s, %s', (name, why) => {
    expect(() => requireOutput({}, name)).toThrow(
      expect.objectContaining({
        name: 'WrongArgument',
        message: expect.stringMatching(new RegExp(`${name}: .*${why}.*receipts env`)) as string,
      }),
    );
  });
});

function answering(answer: Partial<PulumiAnswer>): RunPulumi {
  return () => Promise.resolve({ status: 0, stdout: '', stderr: '', ...answer });
}

describe("a stack's outputs from Pulumi", () => {
  it.each([
    [undefined, []],
    ['prod', ['--stack', 'prod']],
  ])('are asked for without questions (stack %s), and parsed', async (stack, more) => {
    const asked: (readonly string[])[] = [];
    const outputs = await pulumiOutputs(stack, (args) => {
      asked.push(args);
      return answering({ stdout: '{"dashboard_url": "https://x"}\n' })(args);
    });

    expect(outputs).toStrictEqual({ dashboard_url: 'https://x' });
    expect(asked).toStrictEqual([['stack', 'output', '--json', '--non-interactive', ...more]]);
  });

  it.each([
    ["error: no stack named 'prod' found", 'npx pulumi stack ls'],
    ['error: no stack selected; please use `pulumi stack select`', 'npx pulumi stack select'],
    [
      'error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions',
      'npx pulumi login --local',
    ],
    [
      'error: getting secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE',
      "Set PULUMI_CONFIG_PASSPHRASE to the stack's passphrase.",
    ],
    ['pulumi: fetch failed', "can't be fetched"],
    ['error: something else', 'by hand'],
  ])('are a wrong argument when Pulumi says %s', async (stderr, advice) => {
    const error = await rejection(pulumiOutputs('prod', answering({ status: 255, stderr })));

    const said = stderr.replace('error: ', '');
    expect(error.name).toBe('WrongArgument');
    expect(error.message.split('\n')[0]).toBe(
      `The outputs of the stack prod can't be read. Pulumi says: ${said}`,
    );
    expect(error.message.split('\n')[1]).toContain(advice);
  });

  it('are a wrong argument when Pulumi prints something else', async () => {
    const error = await rejection(pulumiOutputs(undefined, answering({ stdout: 'Welcome!\n' })));

    expect([error.name, error.message]).toStrictEqual([
      'WrongArgument',
      "Pulumi's answer is not JSON: Welcome!",
    ]);
  });
});
