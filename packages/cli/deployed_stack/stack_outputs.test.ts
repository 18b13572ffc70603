import { describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { findStackOutputs, requireOutput } from './stack_outputs.ts';

const ARN = 'arn:aws:states:us-east-1:000000000000:stateMachine:realtime-embedding-sf-dev';
const LOCAL = { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566', REALTIME_EMBEDDING_SF_ARN: ARN };

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

    const outputs = await findStackOutputs(undefined, { environment, pulumiOutputs });

    expect([outputs, asked]).toStrictEqual([{ realtime_embedding_sf_arn: ARN }, []]);
  });

  it.each([
    ['without an endpoint, of the selected stack', undefined, {}],
    ['with an empty endpoint too', undefined, { ...LOCAL, AWS_ENDPOINT_URL: '' }],
    ['of the stack that is named', 'prod', {}],
    ['of the stack that is named, whatever the environment says', 'prod', LOCAL],
  ])("are Pulumi's, %s", async (_, stack, environment) => {
    const { asked, pulumiOutputs } = pulumi({ chromadb_bucket_name: 'vectors' });

    const outputs = await findStackOutputs(stack, { environment, pulumiOutputs });

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

    expect(await findStackOutputs('dev', { environment: {}, pulumiOutputs })).toStrictEqual({
      dynamodb_table_name: 'receipts',
    });
  });

  it.each([
    ['nothing', {}, undefined, 'The selected stack has no outputs', '`npx pulumi up`'],
    ['nothing', {}, 'prod', 'The stack prod has no outputs', '`npx pulumi up --stack prod`'],
    ['no object', [], 'prod', 'The stack prod has no outputs', '`npx pulumi up --stack prod`'],
  ])('are missed when Pulumi has %s (%j, %s)', async (_, outputs, stack, what, command) => {
    const { pulumiOutputs } = pulumi(outputs);

    const error = await rejection(findStackOutputs(stack, { environment: {}, pulumiOutputs }));

    expect([error.name, error.message]).toStrictEqual([
      'WrongArgument',
      `${what}: it is not deployed. Deploy it with ${command}.`,
    ]);
  });

  it('are missed when only the endpoint was exported', async () => {
    const { pulumiOutputs } = pulumi({});
    const environment = { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' };

    const error = await rejection(findStackOutputs(undefined, { environment, pulumiOutputs }));

    expect(error.name).toBe('WrongArgument');
    expect(error.message).toContain('AWS_ENDPOINT_URL is http://127.0.0.1:4566, but none');
    expect(error.message).toContain('export lines');
  });
});

describe('an output that is needed', () => {
  it('is given', () => {
    expect(requireOutput({ realtime_embedding_sf_arn: ARN }, 'realtime_embedding_sf_arn')).toBe(
      ARN,
    );
  });

  it.each([
    ['batch_poll_sf_arn', 'no batch path'],
    ['realtime_embedding_sf_arn', 'another version of the program'],
  ] as const)('and missing says why: %s, %s', (name, why) => {
    expect(() => requireOutput({}, name)).toThrow(
      expect.objectContaining({
        name: 'WrongArgument',
        message: expect.stringMatching(
          new RegExp(`${name}: .*${why}.*paste all export lines`),
        ) as string,
      }),
    );
  });
});
