import {
  type DeclaredFunction,
  STORE_NAMES,
  type StoreName,
} from '../../simple_lambdas/runtime/declaration.ts';
import {
  type DistributedMapState,
  inPartition,
  isDistributed,
  listsMapRuns,
  type State,
  type StateMachineDefinition,
} from './asl.ts';
import { batchPollStateMachine } from './batch_poll.ts';
import { batchSubmitStateMachine } from './batch_submit.ts';
import { realtimeStateMachine, type RealtimeStateMachineSettings } from './realtime.ts';
import type { WorkflowName } from './workflow_settings.ts';

/** The state machine of each workflow. Another workflow is one more entry, and its component in components/workflows.ts. */
export const STATE_MACHINES = {
  realtime: deployed(realtimeStateMachine),
  batch_submit: deployed(batchSubmitStateMachine),
  batch_poll: deployed(batchPollStateMachine),
} as const satisfies Readonly<
  Record<WorkflowName, (settings: Deployed<RealtimeStateMachineSettings>) => StateMachineDefinition>
>;

/** The settings of a definition that says in which partition of AWS it is. */
export type Deployed<Settings> = Settings & { readonly partition: string };

function deployed<Settings>(
  define: (settings: Settings) => StateMachineDefinition,
): (settings: Deployed<Settings>) => StateMachineDefinition {
  return (settings) => inPartition(define(settings), settings.partition);
}

/**
 * The functions that the states of these workflows invoke, each once, in the order of the states.
 *
 * @param stores those of the stack.
 */
export function functionsOf(
  names: readonly WorkflowName[] = Object.keys(STATE_MACHINES) as WorkflowName[],
  stores: readonly StoreName[] = STORE_NAMES,
): DeclaredFunction[] {
  const functions = new Map<string, DeclaredFunction>();
  for (const name of names) {
    STATE_MACHINES[name]({
      functionArn: (declaration) => {
        functions.set(declaration.name, declaration);
        return declaration.name;
      },
      partition: '',
      bucket: '',
      stores,
      maxConcurrency: 1,
      toleratedFailurePercentage: 0,
      childExecutionType: 'STANDARD',
    });
  }
  return [...functions.values()];
}

export interface StateMachineIdentity {
  readonly name: string;
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
}

/** One permission, in plain strings. */
interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

/**
 * What a state machine's role must be allowed, and no more: exactly the functions that its definition names, and
 * what AWS asks for a Distributed Map (starting, watching, stopping and redriving its own child
 * executions, reading its items, writing its results). An inline Map needs nothing of its own.
 */
export function permissionsOf(
  definition: StateMachineDefinition,
  identity: StateMachineIdentity,
): Permission[] {
  const states = allStates(definition.States);
  const tasks = states.filter((state) => state.Type === 'Task');
  const functions = tasks.flatMap((task) =>
    listsMapRuns(task) ? [] : [task.Parameters.FunctionName],
  );
  const maps = states.filter((state) => state.Type === 'Map').filter(isDistributed);
  return [
    { actions: ['lambda:InvokeFunction'], resources: [...new Set(functions)] },
    ...maps.flatMap((map) => mapPermissions(map, identity)),
    ...(tasks.some(listsMapRuns)
      ? [{ actions: ['states:ListMapRuns'], resources: [ownExecutions(identity)] }]
      : []),
  ];
}

function ownExecutions({ name, partition, region, accountId }: StateMachineIdentity): string {
  return `arn:${partition}:states:${region}:${accountId}:execution:${name}:*`;
}

function allStates(states: Readonly<Record<string, State>>): State[] {
  return Object.values(states).flatMap((state) =>
    state.Type === 'Map' ? [state, ...allStates(state.ItemProcessor.States)] : [state],
  );
}

function mapPermissions(
  { Label, ItemReader, ResultWriter }: DistributedMapState,
  { name, partition, region, accountId }: StateMachineIdentity,
): Permission[] {
  const states = `arn:${partition}:states:${region}:${accountId}`;
  const objects = (bucket: string, expression: string, rest: string): string =>
    `arn:${partition}:s3:::${bucket}/${keyPattern(expression)}${rest}`;
  return [
    { actions: ['states:StartExecution'], resources: [`${states}:stateMachine:${name}`] },
    // By AWS's guide to the policies of Distributed Maps: a child belongs to the state machine while it runs, and to
    // its Map when it is redriven.
    {
      actions: ['states:DescribeExecution', 'states:StopExecution'],
      resources: [`${states}:execution:${name}:*`],
    },
    {
      actions: ['states:RedriveExecution'],
      resources: [`${states}:execution:${name}/${Label}:*`],
    },
    {
      actions: ['s3:GetObject'],
      resources: [objects(ItemReader.Parameters.Bucket, ItemReader.Parameters['Key.$'], '')],
    },
    {
      // The ResultWriter uploads in parts and reads back what it has written.
      actions: [
        's3:PutObject',
        's3:GetObject',
        's3:ListMultipartUploadParts',
        's3:AbortMultipartUpload',
      ],
      resources: [
        objects(ResultWriter.Parameters.Bucket, ResultWriter.Parameters['Prefix.$'], '/*'),
      ],
    },
  ];
}

const FORMAT = /^States\.Format\('(?<template>[^']+)', [^)]+\)$/;

/** The pattern of all keys that an expression may give: `States.Format('runs/{}/x', …)` gives that with `*`. */
function keyPattern(expression: string): string {
  const template = FORMAT.exec(expression)?.groups?.['template'];
  if (template === undefined) {
    throw new TypeError(`no S3 prefix can be told from "${expression}": use States.Format('…')`);
  }
  return template.replaceAll('{}', '*');
}
