import {
  GetEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { serve } from '../http/server.ts';
import type { MappingArgs } from './mapping_settings.ts';
import { mappingsApi } from './mappings_api.ts';
import { startMappings } from './testing/mappings_fixture.ts';

let fixture: ReturnType<typeof startMappings>;
let client: LambdaClient;
let jobsArn: string;

beforeEach(async () => {
  fixture = startMappings();
  jobsArn = fixture.queue('jobs').settings.arn;
  const server = await serve(mappingsApi(fixture.mappings), 0);
  client = new LambdaClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  onTestFinished(async () => {
    client.destroy();
    await server.close();
  });
});

const DEFAULTS_OF_A_STREAM = {
  UUID: 'mapping-0',
  EventSourceMappingArn: 'mapping-0',
  FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:work',
  State: 'Enabled',
  StateTransitionReason: 'USER_INITIATED',
  LastModified: new Date('2026-05-01T00:00:00Z'),
  BatchSize: 100,
  MaximumBatchingWindowInSeconds: 0,
  FunctionResponseTypes: [],
  StartingPosition: 'TRIM_HORIZON',
  ParallelizationFactor: 1,
  BisectBatchOnFunctionError: false,
  MaximumRetryAttempts: -1,
  MaximumRecordAgeInSeconds: -1,
  TumblingWindowInSeconds: 0,
  DestinationConfig: { OnFailure: {} },
};

describe('a mapping', () => {
  it('of a stream is described with Lambda’s defaults', async () => {
    fixture.mapStream();
    const { $metadata, ...mapping } = await client.send(
      new GetEventSourceMappingCommand({ UUID: 'mapping-0' }),
    );
    expect([$metadata.httpStatusCode, mapping]).toStrictEqual([
      200,
      { ...DEFAULTS_OF_A_STREAM, EventSourceArn: fixture.streamArn },
    ]);
  });

  it('of a queue is described with what it says', async () => {
    fixture.add({
      eventSourceArn: jobsArn,
      enabled: false,
      batchSize: 50,
      maximumBatchingWindowInSeconds: 5,
      functionResponseTypes: ['ReportBatchItemFailures'],
      filterCriteria: { filters: [{ pattern: '{"body":["x"]}' }] },
      scalingConfig: { maximumConcurrency: 7 },
    });
    const { EventSourceMappings = [] } = await client.send(new ListEventSourceMappingsCommand({}));
    expect(EventSourceMappings).toMatchObject([
      {
        EventSourceArn: jobsArn,
        State: 'Disabled',
        BatchSize: 50,
        MaximumBatchingWindowInSeconds: 5,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        FilterCriteria: { Filters: [{ Pattern: '{"body":["x"]}' }] },
        ScalingConfig: { MaximumConcurrency: 7 },
      },
    ]);
    expect(EventSourceMappings[0]).not.toHaveProperty('StartingPosition');
  });

  it('is found by its source and its function, page by page', async () => {
    fixture.mapStream();
    fixture.add({ eventSourceArn: jobsArn });
    const list = async (more: object = {}) => {
      const answer = await client.send(new ListEventSourceMappingsCommand(more));
      return [answer.EventSourceMappings?.map(({ UUID }) => UUID), answer.NextMarker];
    };
    expect(await list({ EventSourceArn: jobsArn })).toStrictEqual([['mapping-1'], undefined]);
    expect(await list({ FunctionName: 'other' })).toStrictEqual([[], undefined]);
    const name = { FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:work' };
    expect(await list({ ...name, MaxItems: 1 })).toStrictEqual([['mapping-0'], 'mapping-0']);
    expect(await list({ MaxItems: 1, Marker: 'mapping-0' })).toStrictEqual([
      ['mapping-1'],
      undefined,
    ]);
  });

  it('is disabled and enabled by an update', async () => {
    fixture.add({ eventSourceArn: jobsArn });
    const update = async (Enabled: boolean) => {
      const request = new UpdateEventSourceMappingCommand({ UUID: 'mapping-0', Enabled });
      return (await client.send(request)).State;
    };
    expect(await update(false)).toBe('Disabled');
    fixture.sqs.queueOf(jobsArn)?.send({ body: '1', attributes: {} });
    await fixture.time.pass(0);
    expect(fixture.batches).toStrictEqual([]);
    expect(await update(true)).toBe('Enabled');
    await fixture.mappings.idle();
    expect(fixture.batches).toStrictEqual(['1']);
  });

  it.each<[string, number, () => Promise<unknown>]>([
    [
      'ResourceNotFoundException',
      404,
      () => client.send(new GetEventSourceMappingCommand({ UUID: 'none' })),
    ],
    [
      'NotImplemented',
      501,
      () => client.send(new UpdateEventSourceMappingCommand({ UUID: 'mapping-0', BatchSize: 1 })),
    ],
    [
      'InvalidParameterValueException',
      400,
      () => client.send(new ListEventSourceMappingsCommand({ MaxItems: 10_001 })),
    ],
  ])('answers %s (%d)', async (name, httpStatusCode, ask) => {
    fixture.mapStream();
    expect(await rejection(ask())).toMatchObject({ name, $metadata: { httpStatusCode } });
  });

  it.each<[string, Partial<MappingArgs>, string]>([
    ['of no source', { eventSourceArn: 'arn:none' }, 'the stream or queue does not exist here'],
    ['of no function', { functionName: 'none' }, 'Function not found: none'],
    ['of a stream that begins nowhere', {}, 'startingPosition must be TRIM_HORIZON or LATEST'],
    ['with too large a batch', { batchSize: 10_001 }, 'batchSize is 10001'],
    ['with too long a window', { maximumBatchingWindowInSeconds: 301 }, 'must be from 0 to 300'],
    ['with too short an age', { maximumRecordAgeInSeconds: 59 }, 'must be -1 or from 60'],
    ['with too many lanes', { parallelizationFactor: 11 }, 'parallelizationFactor is 11'],
    ['with an unknown answer', { functionResponseTypes: ['All'] }, 'type All is unknown'],
    ['with an unknown filter', filter('{"a": [{"wildcard": "*"}]}'), 'does not know'],
    ['with a queue’s setting', { scalingConfig: { maximumConcurrency: 2 } }, 'not one of a stream'],
    [
      'with no destination',
      { destinationConfig: { onFailure: { destinationArn: 'arn:none' } } },
      'the destination arn:none is not a queue that is here',
    ],
  ])('%s is refused', (_, args, message) => {
    const position = message.startsWith('startingPosition') ? {} : { startingPosition: 'LATEST' };
    expect(() => {
      fixture.add({ ...position, ...args });
    }).toThrow(message);
    expect(fixture.mappings.all).toStrictEqual([]);
  });

  it.each<[string, Partial<MappingArgs>, string]>([
    ['with a stream’s setting', { bisectBatchOnFunctionError: true }, 'not one of a queue'],
    ['with more than ten at once', { batchSize: 11 }, 'window in seconds must be greater than 0'],
    ['with one batch at once', { scalingConfig: { maximumConcurrency: 1 } }, 'from 2 to 1000'],
    [
      'of a queue that hides too shortly',
      { eventSourceArn: 'short' },
      'Queue visibility timeout: 29 seconds is less than Function timeout: 30 seconds',
    ],
  ])('of a queue %s is refused', (_, args, message) => {
    const short = fixture.queue('short', { visibilityTimeout: 29 });
    const eventSourceArn = args.eventSourceArn === 'short' ? short.settings.arn : jobsArn;
    expect(() => {
      fixture.add({ ...args, eventSourceArn });
    }).toThrow(message);
  });
});

function filter(pattern: string): Partial<MappingArgs> {
  return { filterCriteria: { filters: [{ pattern }] } };
}
