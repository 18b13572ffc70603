import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { serve } from 'embedded-aws/http/server';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { awsFailure } from '../command_line/aws_problem.ts';
import { consoleLink, createSfnClient } from './start_execution.ts';

describe('the console link of an execution', () => {
  it.each([
    ['aws', 'eu-west-1', 'eu-west-1.console.aws.amazon.com'],
    ['aws-cn', 'cn-north-1', 'cn-north-1.console.amazonaws.cn'],
    ['aws-us-gov', 'us-gov-west-1', 'us-gov-west-1.console.amazonaws-us-gov.com'],
  ])('is of its partition and region: %s', (partition, region, host) => {
    const arn = `arn:${partition}:states:${region}:111122223333:execution:machine:name`;

    expect(consoleLink(arn, {})).toBe(
      `https://${host}/states/home?region=${region}#/v2/executions/details/${arn}`,
    );
  });

  it.each([
    ['on the local stack', 'aws', { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' }],
    ['in a partition that nobody has heard of', 'aws-moon', {}],
  ])('is missing %s', (_, partition, environment) => {
    const arn = `arn:${partition}:states:eu-west-1:111122223333:execution:machine:name`;

    expect(consoleLink(arn, environment)).toBeUndefined();
  });

  it('is there with an empty AWS_ENDPOINT_URL', () => {
    const arn = 'arn:aws:states:eu-west-1:111122223333:execution:machine:name';

    expect(consoleLink(arn, { AWS_ENDPOINT_URL: '' })).toContain(arn);
  });
});

describe('the client of Step Functions', () => {
  it('gives up a connection whose other end has gone silent, as one that is lost', async () => {
    let requests = 0;
    const server = await serve(() => {
      requests++;
      return new Promise(() => undefined);
    }, 0);
    onTestFinished(() => server.close());
    vi.stubEnv('AWS_ENDPOINT_URL', server.url);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const sfn = createSfnClient('eu-west-1', 50);
    onTestFinished(() => {
      sfn.destroy();
    });

    const error = await rejection(
      sfn.send(
        new DescribeExecutionCommand({
          executionArn: 'arn:aws:states:eu-west-1:111122223333:execution:machine:name',
        }),
      ),
    );

    expect(awsFailure(error)).toBe('network');
    expect(requests).toBe(5);
  });
});
