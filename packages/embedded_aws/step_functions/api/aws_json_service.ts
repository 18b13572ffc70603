import type { Service, ServiceRequest, ServiceResponse } from '../../http/service.ts';
import { isJsonObject } from '../data/json_value.ts';
import type { ExecutionStore } from '../execution/execution_store.ts';
import type { Launcher } from '../execution/launcher.ts';
import { ApiError } from './api_error.ts';
import {
  describeExecutionOperation,
  getExecutionHistory,
  listExecutions,
  startExecution,
  stopExecution,
} from './execution_operations.ts';
import {
  describeStateMachine,
  describeStateMachineForExecution,
  listStateMachines,
} from './machine_operations.ts';
import { describeMapRun, listMapRuns } from './map_run_operations.ts';
import { RequestMembers } from './request_members.ts';

type Operation = (request: RequestMembers, store: ExecutionStore, launcher: Launcher) => object;

const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['StartExecution', startExecution],
  ['DescribeExecution', describeExecutionOperation],
  ['StopExecution', stopExecution],
  ['GetExecutionHistory', getExecutionHistory],
  ['ListExecutions', listExecutions],
  ['ListStateMachines', listStateMachines],
  ['DescribeStateMachine', describeStateMachine],
  ['DescribeStateMachineForExecution', describeStateMachineForExecution],
  ['ListMapRuns', listMapRuns],
  ['DescribeMapRun', describeMapRun],
]);

/** Step Functions' API: `POST /` with the operation in the header X-Amz-Target. */
export function awsJsonService(
  store: ExecutionStore,
  launcher: Launcher,
  newId: () => string,
): Service {
  return (request) => {
    try {
      const answer = perform(request, store, launcher);
      return Promise.resolve(respond(200, answer, newId()));
    } catch (error) {
      const { type, message } =
        error instanceof ApiError
          ? error
          : {
              type: 'InternalFailure',
              message: error instanceof Error ? error.message : String(error),
            };
      const status = error instanceof ApiError ? 400 : 500;
      return Promise.resolve(respond(status, { __type: type, message }, newId()));
    }
  };
}

function perform(request: ServiceRequest, store: ExecutionStore, launcher: Launcher): object {
  const target = request.headers['x-amz-target'];
  const name = /^AWSStepFunctions\.(\w+)$/.exec(typeof target === 'string' ? target : '')?.[1];
  const operation = operations.get(name ?? '');
  if (request.method !== 'POST' || operation === undefined) {
    throw new ApiError(
      'UnknownOperationException',
      `The local Step Functions has no operation ${name ?? '(no X-Amz-Target)'}`,
    );
  }
  return operation(new RequestMembers(bodyOf(request)), store, launcher);
}

function bodyOf(request: ServiceRequest): Readonly<Record<string, unknown>> {
  let body: unknown;
  try {
    body = JSON.parse(request.body.length === 0 ? '{}' : request.body.toString());
  } catch {
    throw new ApiError('SerializationException', 'The request body is not valid JSON');
  }
  if (!isJsonObject(body)) {
    throw new ApiError('SerializationException', 'The request body must be a JSON object');
  }
  return body;
}

function respond(status: number, body: object, requestId: string): ServiceResponse {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': requestId },
    body: JSON.stringify(body),
  };
}
