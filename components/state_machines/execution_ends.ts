import { declaration as summarizeExecution } from '../../simple_lambdas/summarize_execution/declaration.ts';
import type { PassState, State, TaskState } from './asl.ts';
import { catchAll, failWith, fields, lambdaTask } from './lambda_task.ts';
import type { StateMachineSettings, WorkflowName } from './workflow_settings.ts';

/**
 * Adds up the results of a workflow's Map, and goes on to CheckFailures.
 *
 * @param totals what the summary takes over from the state's input.
 */
export function summary(
  workflow: WorkflowName,
  { functionArn }: StateMachineSettings,
  totals: readonly string[],
): TaskState {
  return {
    ...lambdaTask(
      functionArn(summarizeExecution),
      {
        Payload: {
          workflow,
          ...fields(...totals),
          'results.$': '$.results.location',
          ...fields('execution_name'),
        },
      },
      catchAll('RunFailed'),
    ),
    Next: 'CheckFailures',
  };
}

/**
 * How an execution ends that has nothing to do: with a summary like any other's, but for its results.
 *
 * @param own the workflow's own counts.
 * @param taken what the summary takes over from the state's input.
 */
export function emptySummary(
  own: Readonly<Record<string, 0 | readonly never[]>>,
  taken: readonly string[],
): PassState {
  return {
    Type: 'Pass',
    Parameters: {
      total: 0,
      failed: 0,
      not_tried: 0,
      stopped: null,
      failed_percentage: 0,
      failures: [],
      failures_by_reason: {},
      ...own,
      ...fields(...taken),
    },
    End: true,
  };
}

/**
 * How every workflow ends: CheckFailures judges a summary with `failed_percentage`, which is the execution's output, or the
 * cause of its failure.
 *
 * @param options `stops` where the workflow's Map may end early: then what was not tried fails the execution, whatever is tolerated.
 */
export function executionEnds(
  { toleratedFailurePercentage }: StateMachineSettings,
  { stops = false }: { readonly stops?: boolean } = {},
): Readonly<Record<string, State>> {
  return {
    CheckFailures: {
      Type: 'Choice',
      Choices: [
        ...(stops
          ? [{ Variable: '$.not_tried', NumericGreaterThan: 0, Next: 'StoppedEarly' }]
          : []),
        {
          Variable: '$.failed_percentage',
          NumericGreaterThan: toleratedFailurePercentage,
          Next: 'TooManyFailed',
        },
      ],
      Default: 'RunSucceeded',
    },
    RunSucceeded: { Type: 'Succeed' },
    TooManyFailed: {
      Type: 'Fail',
      Error: 'TooManyFailed',
      CausePath: 'States.JsonToString($)',
    },
    ...(stops
      ? {
          StoppedEarly: {
            Type: 'Fail',
            Error: 'StoppedEarly',
            CausePath: 'States.JsonToString($)',
          } as const,
        }
      : {}),
    RunFailed: failWith('RunFailed'),
  };
}
