import type { ExecutionStore } from '../execution/execution_store.ts';
import type { Machine } from '../execution/machine.ts';
import { ApiError } from './api_error.ts';
import { epochSeconds } from './execution_view.ts';
import { pageOf } from './page.ts';
import type { RequestMembers } from './request_members.ts';

export function listStateMachines(request: RequestMembers, store: ExecutionStore): object {
  const page = pageOf(store.machines, false, request);
  return {
    stateMachines: page.items.map((machine) => ({
      stateMachineArn: machine.arn,
      name: machine.name,
      type: 'STANDARD',
      creationDate: epochSeconds(machine.creationDate),
    })),
    ...page.nextToken,
  };
}

export function describeStateMachine(request: RequestMembers, store: ExecutionStore): object {
  const machine = knownMachine(store, request.arn('stateMachineArn', 'stateMachine'));
  return {
    stateMachineArn: machine.arn,
    name: machine.name,
    status: 'ACTIVE',
    definition: machine.definitionText,
    roleArn: machine.roleArn,
    type: 'STANDARD',
    creationDate: epochSeconds(machine.creationDate),
    loggingConfiguration: machine.loggingConfiguration,
    tracingConfiguration: { enabled: false },
  };
}

export function describeStateMachineForExecution(
  request: RequestMembers,
  store: ExecutionStore,
): object {
  const arn = request.arn('executionArn', 'execution');
  const execution = store.execution(arn);
  if (execution === undefined) {
    throw new ApiError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  }
  const { machine, mapRunArn } = execution;
  const label = machine.name.split('/').at(-1);
  return {
    stateMachineArn: machine.arn,
    name: machine.name,
    definition: machine.definitionText,
    roleArn: machine.roleArn,
    updateDate: epochSeconds(machine.creationDate),
    loggingConfiguration: machine.loggingConfiguration,
    tracingConfiguration: { enabled: false },
    ...(mapRunArn === undefined ? {} : { mapRunArn, label }),
  };
}

/** @throws ApiError StateMachineDoesNotExist */
export function knownMachine(store: ExecutionStore, arn: string): Machine {
  const machine = store.machine(arn);
  if (machine === undefined) {
    throw new ApiError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  }
  return machine;
}
