import type { Execution } from '../execution/execution.ts';
import type { ExecutionStore } from '../execution/execution_store.ts';
import type { Launcher } from '../execution/launcher.ts';
import { maxCauseLength, maxErrorLength } from '../execution/limits.ts';
import { ApiError } from './api_error.ts';
import { describeExecution, epochSeconds, listedExecution } from './execution_view.ts';
import { historyEvent } from './history_view.ts';
import { knownMachine } from './machine_operations.ts';
import { knownMapRun } from './map_run_operations.ts';
import { pageOf } from './page.ts';
import type { RequestMembers } from './request_members.ts';
import { parseExecutionInput, requireName } from './start_request.ts';

const statuses = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'];

export function startExecution(
  request: RequestMembers,
  store: ExecutionStore,
  launcher: Launcher,
): object {
  const machine = knownMachine(store, request.arn('stateMachineArn', 'stateMachine'));
  const name = request.optionalText('name');
  if (name !== undefined) requireName(name);
  const inputText = request.optionalText('input') ?? '{}';
  const execution = launcher.start(machine, name, parseExecutionInput(inputText), inputText);
  return { executionArn: execution.arn, startDate: epochSeconds(execution.startDate) };
}

export function describeExecutionOperation(request: RequestMembers, store: ExecutionStore): object {
  return describeExecution(knownExecution(store, request.arn('executionArn', 'execution')));
}

export function stopExecution(request: RequestMembers, store: ExecutionStore): object {
  const execution = knownExecution(store, request.arn('executionArn', 'execution'));
  const error = request.optionalText('error', maxErrorLength);
  const cause = request.optionalText('cause', maxCauseLength);
  execution.stop(error, cause);
  return { stopDate: epochSeconds(execution.stopDate ?? execution.startDate) };
}

export function getExecutionHistory(request: RequestMembers, store: ExecutionStore): object {
  const arn = request.arn('executionArn', 'execution');
  const { history } = knownExecution(store, arn);
  if (history === undefined) {
    throw new ApiError(
      'ExecutionDoesNotExist',
      `Execution Does Not Exist: '${arn}' (it succeeded; the local Step Functions keeps the histories of the first children of a Map Run only)`,
    );
  }
  const includeData = request.flag('includeExecutionData', true);
  const page = pageOf(history.events, request.flag('reverseOrder', false), request);
  return {
    events: page.items.map((event) => historyEvent(event, includeData)),
    ...page.nextToken,
  };
}

export function listExecutions(request: RequestMembers, store: ExecutionStore): object {
  const status = request.oneOf('statusFilter', statuses);
  // Nothing here is ever redriven.
  const redriven = request.oneOf('redriveFilter', ['REDRIVEN', 'NOT_REDRIVEN']) === 'REDRIVEN';
  const listed = executionsAskedFor(request, store).filter(
    (execution) => !redriven && (status === undefined || execution.status === status),
  );
  const page = pageOf(listed, true, request);
  return { executions: page.items.map(listedExecution), ...page.nextToken };
}

function executionsAskedFor(request: RequestMembers, store: ExecutionStore): readonly Execution[] {
  const machineArn = request.optionalArn('stateMachineArn', 'stateMachine');
  const mapRunArn = request.optionalArn('mapRunArn', 'mapRun');
  if ((machineArn === undefined) === (mapRunArn === undefined)) {
    throw new ApiError(
      'ValidationException',
      'Exactly one of stateMachineArn and mapRunArn must be specified',
    );
  }
  if (mapRunArn !== undefined) return knownMapRun(store, mapRunArn).children;
  return store.executionsOf(knownMachine(store, machineArn ?? '').arn);
}

/** @throws ApiError ExecutionDoesNotExist */
export function knownExecution(store: ExecutionStore, arn: string): Execution {
  const execution = store.execution(arn);
  if (execution === undefined) {
    throw new ApiError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  }
  return execution;
}
