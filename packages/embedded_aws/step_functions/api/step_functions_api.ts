import type { Service, ServiceRequest, ServiceResponse } from '../../http/service.ts';
import type { MapRun } from '../distributed_map/map_run.ts';
import type { Execution } from '../execution/execution.ts';
import type { Executions, StateMachine } from '../execution/executions.ts';
import { MAX_CAUSE_LENGTH, MAX_ERROR_LENGTH } from '../state_error.ts';
import {
  datesOf,
  describeExecution,
  epochSeconds,
  historyEvent,
  listedExecution,
} from './execution_view.ts';
import { ApiError, ApiRequest, parseExecutionInput, requireName } from './request.ts';

type Operation = (request: ApiRequest, executions: Executions) => object;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  StartExecution: startExecution,
  StopExecution: stopExecution,
  DescribeExecution: (request, executions) => describeExecution(executionOf(request, executions)),
  GetExecutionHistory: getExecutionHistory,
  ListExecutions: listExecutions,
  DescribeStateMachine: describeStateMachine,
  ListStateMachines: listStateMachines,
  DescribeMapRun: describeMapRun,
  ListMapRuns: listMapRuns,
};

const STATUSES = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'];

/** Step Functions' API in the AWS JSON 1.0 protocol: `POST /` with the operation in the header X-Amz-Target. */
export function stepFunctionsApi(executions: Executions): Service {
  const { newId } = executions.ports;
  return (request) => {
    try {
      return Promise.resolve(respond(200, perform(request, executions), newId()));
    } catch (error) {
      const [status, type] =
        error instanceof ApiError ? [400, error.type] : [500, 'InternalFailure'];
      const message = error instanceof Error ? error.message : String(error);
      return Promise.resolve(respond(status, { __type: type, message }, newId()));
    }
  };
}

function perform({ method, headers, body }: ServiceRequest, executions: Executions): object {
  const target = headers['x-amz-target'];
  const name = /^AWSStepFunctions\.(\w+)$/.exec(typeof target === 'string' ? target : '')?.[1];
  const operation = OPERATIONS[name ?? ''];
  if (method === 'POST' && operation !== undefined) {
    return operation(new ApiRequest(body), executions);
  }
  throw new ApiError(
    'UnknownOperationException',
    name === undefined
      ? 'The request has no X-Amz-Target of AWSStepFunctions'
      : `${name} is not implemented by the embedded Step Functions`,
  );
}

function respond(status: number, body: object, requestId: string): ServiceResponse {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': requestId },
    body: JSON.stringify(body),
  };
}

function startExecution(request: ApiRequest, executions: Executions): object {
  const machine = machineOf(request.arn('stateMachineArn', 'stateMachine'), executions);
  const name = request.optionalText('name');
  if (name !== undefined) requireName(name);
  const inputText = request.optionalText('input') ?? '{}';
  const { arn, startDate } = executions.start(
    machine,
    name,
    parseExecutionInput(inputText),
    inputText,
  );
  return { executionArn: arn, startDate: epochSeconds(startDate) };
}

function stopExecution(request: ApiRequest, executions: Executions): object {
  const execution = executionOf(request, executions);
  execution.stop(
    request.optionalText('error', MAX_ERROR_LENGTH),
    request.optionalText('cause', MAX_CAUSE_LENGTH),
  );
  return { stopDate: epochSeconds(execution.stopDate ?? execution.startDate) };
}

function getExecutionHistory(request: ApiRequest, executions: Executions): object {
  const { arn, events } = executionOf(request, executions);
  if (events === undefined) {
    throw doesNotExist(
      'Execution',
      `${arn} (the embedded Step Functions keeps the histories of the first children of a Map Run only)`,
    );
  }
  const includeData = request.flag('includeExecutionData', true);
  const page = request.page(events, request.flag('reverseOrder', false));
  return {
    events: page.items.map((event) => historyEvent(event, includeData)),
    ...page.nextToken,
  };
}

function listExecutions(request: ApiRequest, executions: Executions): object {
  const status = request.oneOf('statusFilter', STATUSES);
  // Nothing here is ever redriven.
  const redriven = request.oneOf('redriveFilter', ['REDRIVEN', 'NOT_REDRIVEN']) === 'REDRIVEN';
  const listed = executionsAskedFor(request, executions).filter(
    (execution) => !redriven && (status === undefined || execution.status === status),
  );
  const page = request.page(listed, true);
  return { executions: page.items.map(listedExecution), ...page.nextToken };
}

function executionsAskedFor(request: ApiRequest, executions: Executions): readonly Execution[] {
  const machineArn = request.optionalArn('stateMachineArn', 'stateMachine');
  const mapRunArn = request.optionalArn('mapRunArn', 'mapRun');
  if (mapRunArn !== undefined && machineArn === undefined) {
    return mapRunOf(mapRunArn, executions).children;
  }
  if (machineArn === undefined || mapRunArn !== undefined) {
    throw new ApiError(
      'ValidationException',
      'Exactly one of stateMachineArn and mapRunArn must be specified',
    );
  }
  // Children of a Map Run are listed with the run: their machine has an ARN of its own.
  const { arn } = machineOf(machineArn, executions);
  return [...executions.executions.values()].filter(({ machine }) => machine.arn === arn);
}

function describeStateMachine(request: ApiRequest, executions: Executions): object {
  const machine = machineOf(request.arn('stateMachineArn', 'stateMachine'), executions);
  return {
    ...listedMachine(machine),
    status: 'ACTIVE',
    definition: machine.definitionText,
    roleArn: machine.roleArn,
    loggingConfiguration: machine.loggingConfiguration,
    tracingConfiguration: { enabled: false },
  };
}

function listStateMachines(request: ApiRequest, executions: Executions): object {
  const page = request.page([...executions.machines.values()], false);
  return { stateMachines: page.items.map(listedMachine), ...page.nextToken };
}

function listedMachine({ arn, name, creationDate }: StateMachine): object {
  return {
    stateMachineArn: arn,
    name,
    type: 'STANDARD',
    creationDate: epochSeconds(creationDate),
  };
}

function describeMapRun(request: ApiRequest, executions: Executions): object {
  const mapRun = mapRunOf(request.arn('mapRunArn', 'mapRun'), executions);
  const { start, status } = mapRun;
  // One item is one child: there is no ItemBatcher.
  const counts = { ...mapRun.counts, failuresNotRedrivable: 0, pendingRedrive: 0 };
  return {
    mapRunArn: start.arn,
    executionArn: start.parent.arn,
    status,
    ...datesOf(start.startDate, mapRun.stopDate),
    maxConcurrency: start.maxConcurrency,
    toleratedFailurePercentage: start.toleratedFailurePercentage,
    toleratedFailureCount: Number.isFinite(start.toleratedFailureCount)
      ? start.toleratedFailureCount
      : 0,
    itemCounts: counts,
    executionCounts: counts,
    redriveCount: 0,
  };
}

function listMapRuns(request: ApiRequest, executions: Executions): object {
  const { arn, machine } = executionOf(request, executions);
  const mapRuns = [...executions.mapRuns.values()].filter(({ start }) => start.parent.arn === arn);
  const page = request.page(mapRuns, true);
  return {
    mapRuns: page.items.map(({ start, stopDate }) => ({
      executionArn: arn,
      mapRunArn: start.arn,
      stateMachineArn: machine.arn,
      ...datesOf(start.startDate, stopDate),
    })),
    ...page.nextToken,
  };
}

function executionOf(request: ApiRequest, executions: Executions): Execution {
  return knownExecution(request.arn('executionArn', 'execution'), executions);
}

/** @throws ApiError ExecutionDoesNotExist */
export function knownExecution(arn: string, { executions }: Executions): Execution {
  const execution = executions.get(arn);
  if (execution === undefined) throw doesNotExist('Execution', arn);
  return execution;
}

function machineOf(arn: string, { machines }: Executions): StateMachine {
  const machine = machines.get(arn);
  if (machine === undefined) throw doesNotExist('State Machine', arn);
  return machine;
}

function mapRunOf(arn: string, { mapRuns }: Executions): MapRun {
  const mapRun = mapRuns.get(arn);
  if (mapRun !== undefined) return mapRun;
  throw new ApiError('ResourceNotFound', `Map Run Does Not Exist: '${arn}'`);
}

function doesNotExist(what: 'Execution' | 'State Machine', arn: string): ApiError {
  return new ApiError(`${what.replace(' ', '')}DoesNotExist`, `${what} Does Not Exist: '${arn}'`);
}
