import { notImplemented } from '../aws/faults.ts';
import { parseJsonObject } from '../http/json_text.ts';
import type { RequestHead, Service, ServiceRequest, ServiceResponse } from '../http/service.ts';
import type { EventSourceMappings, Mapping } from './event_source_mappings.ts';

const PATH = /^\/2015-03-31\/event-source-mappings(?:\/(?<uuid>[^/]+))?\/?$/;

/** Mappings of one answer (API reference of ListEventSourceMappings). */
const DEFAULT_PAGE = 100;
const MAX_PAGE = 10_000;

const OPERATIONS: Readonly<Record<string, string>> = {
  'GET all': 'ListEventSourceMappings',
  'POST all': 'CreateEventSourceMapping',
  'GET one': 'GetEventSourceMapping',
  'PUT one': 'UpdateEventSourceMapping',
  'DELETE one': 'DeleteEventSourceMapping',
};

/** What is asked of event source mappings; undefined for a request that is about something else. */
export function mappingOperation({ method, path }: RequestHead): string | undefined {
  const match = PATH.exec(path);
  if (match === null) return undefined;
  const kind = match.groups?.['uuid'] === undefined ? 'all' : 'one';
  return OPERATIONS[`${method} ${kind}`] ?? `${method} ${path}`;
}

/** The UUID in a request about one mapping. */
export function mappingId({ path }: RequestHead): string {
  return PATH.exec(path)?.groups?.['uuid'] ?? '';
}

/** Lambda's HTTP API of event source mappings: ListEventSourceMappings, GetEventSourceMapping, and UpdateEventSourceMapping of Enabled. */
export function mappingsApi(mappings: EventSourceMappings): Service {
  return (request) => Promise.resolve(answerFor(mappings, request));
}

function answerFor(mappings: EventSourceMappings, request: ServiceRequest): ServiceResponse {
  const operation = mappingOperation(request) ?? request.path;
  if (operation === 'ListEventSourceMappings') return listed(mappings, request.query);
  if (operation !== 'GetEventSourceMapping' && operation !== 'UpdateEventSourceMapping') {
    return notImplemented('lambda', operation);
  }
  const mapping = mappings.find(mappingId(request));
  if (mapping === undefined) {
    return failure(404, 'ResourceNotFoundException', 'The resource you requested does not exist.');
  }
  if (operation === 'GetEventSourceMapping') return answer(200, described(mapping));
  const changes = parseJsonObject(request.body.toString() || '{}');
  if (changes === undefined) {
    return failure(400, 'InvalidRequestContentException', 'Could not parse request body into json');
  }
  const { Enabled: enabled = mapping.enabled, ...others } = changes;
  const [other] = Object.keys(others);
  if (other !== undefined) return notImplemented('lambda', `${operation} of ${other}`);
  if (typeof enabled !== 'boolean') {
    return failure(400, 'InvalidParameterValueException', 'Enabled must be a boolean.');
  }
  mappings.setEnabled(mapping, enabled);
  return answer(202, described(mapping));
}

function listed(mappings: EventSourceMappings, query: URLSearchParams): ServiceResponse {
  const source = query.get('EventSourceArn');
  const name = query.get('FunctionName');
  const most = Number(query.get('MaxItems') ?? DEFAULT_PAGE);
  if (!Number.isInteger(most) || most < 1 || most > MAX_PAGE) {
    return failure(
      400,
      'InvalidParameterValueException',
      `MaxItems must be from 1 to ${MAX_PAGE}.`,
    );
  }
  const after = query.get('Marker') ?? '';
  const all = mappings.all
    .filter(({ mapping, configuration }) => {
      const isOfFunction = name === null || isNameOf(name, configuration.functionName);
      return (source === null || mapping.sourceArn === source) && isOfFunction;
    })
    .filter(({ mapping }) => mapping.uuid > after)
    .sort((a, b) => (a.mapping.uuid < b.mapping.uuid ? -1 : 1));
  const page = all.slice(0, most);
  return answer(200, {
    EventSourceMappings: page.map(described),
    ...(page.length < all.length ? { NextMarker: page.at(-1)?.mapping.uuid } : {}),
  });
}

/** A function is named by its name, its ARN or a part of that. */
function isNameOf(nameOrArn: string, functionName: string): boolean {
  return nameOrArn === functionName || nameOrArn.endsWith(`:function:${functionName}`);
}

function described({ mapping, configuration, enabled, lastModified }: Mapping): object {
  const isQueue = mapping.sourceArn.startsWith('arn:aws:sqs:');
  return {
    UUID: mapping.uuid,
    EventSourceMappingArn: mapping.arn,
    EventSourceArn: mapping.sourceArn,
    FunctionArn: configuration.functionArn,
    State: enabled ? 'Enabled' : 'Disabled',
    StateTransitionReason: 'USER_INITIATED',
    LastModified: lastModified.getTime() / 1_000,
    BatchSize: mapping.batchSize,
    MaximumBatchingWindowInSeconds: mapping.windowMs / 1_000,
    FunctionResponseTypes: mapping.reportsFailures ? ['ReportBatchItemFailures'] : [],
    ...(mapping.patterns.length === 0
      ? {}
      : { FilterCriteria: { Filters: mapping.patterns.map((Pattern) => ({ Pattern })) } }),
    ...(isQueue
      ? { ScalingConfig: { MaximumConcurrency: mapping.maxConcurrency } }
      : {
          StartingPosition: mapping.startingPosition,
          ParallelizationFactor: mapping.parallelizationFactor,
          BisectBatchOnFunctionError: mapping.bisects,
          MaximumRetryAttempts: finite(mapping.retries),
          MaximumRecordAgeInSeconds: finite(mapping.maxAgeMs / 1_000),
          TumblingWindowInSeconds: 0,
          DestinationConfig: {
            OnFailure:
              mapping.destinationArn === undefined ? {} : { Destination: mapping.destinationArn },
          },
        }),
  };
}

/** -1 stands for no end. */
function finite(value: number): number {
  return value === Infinity ? -1 : value;
}

function answer(status: number, body: object): ServiceResponse {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

function failure(status: number, type: string, message: string): ServiceResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': type },
    body: JSON.stringify({ Type: 'User', Message: message }),
  };
}
