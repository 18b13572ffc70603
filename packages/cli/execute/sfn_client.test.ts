import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { serve } from 'embedded-aws/http/server';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { awsFailure } from '../command_line/aws_failure.ts';
import { createSfnClient } from './sfn_client.ts';

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
