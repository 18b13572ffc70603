import { describe, expect, it } from 'vitest';
import { exportLines } from './serve.ts';

describe('the lines for another terminal', () => {
  it('point AWS’s tools here, and name the stack’s outputs', () => {
    const outputs = {
      realtime_embedding_sf_arn: 'arn:aws:states:us-east-1:000000000000:stateMachine:m',
      chromadb_bucket_name: 'vectors',
    };
    expect(exportLines('http://127.0.0.1:4566', outputs)).toStrictEqual([
      'export AWS_ENDPOINT_URL=http://127.0.0.1:4566',
      'export AWS_REGION=us-east-1',
      'export AWS_DEFAULT_REGION=us-east-1',
      'export AWS_ACCESS_KEY_ID=local',
      'export AWS_SECRET_ACCESS_KEY=local',
      'export REALTIME_EMBEDDING_SF_ARN=arn:aws:states:us-east-1:000000000000:stateMachine:m',
      'export CHROMADB_BUCKET_NAME=vectors',
    ]);
  });
});
