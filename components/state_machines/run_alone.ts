import { declaration as takeExecutionLock } from '../../simple_lambdas/take_execution_lock/declaration.ts';
import type { State } from './asl.ts';
import { catchAll, fields, lambdaTask } from './lambda_task.ts';
import type { StateMachineSettings } from './workflow_settings.ts';

/** The first state of every workflow. */
export const RUN_ALONE = 'CheckAlone';

/**
 * How every workflow begins: an execution that was started with `alone` goes on if it gets the lock of its kind, and else ends at once,
 * with what is running as its output.
 *
 * @param first the state where all others, and those that have the lock, go on.
 */
export function runAlone(
  first: string,
  { functionArn }: Pick<StateMachineSettings, 'functionArn'>,
): Readonly<Record<string, State>> {
  return {
    [RUN_ALONE]: {
      Type: 'Choice',
      Choices: [{ Variable: '$.alone', IsPresent: true, Next: 'TakeLock' }],
      Default: first,
    },
    TakeLock: {
      ...lambdaTask(
        functionArn(takeExecutionLock),
        { Payload: { 'input.$': '$', 'execution_id.$': '$$.Execution.Id' } },
        catchAll('RunFailed'),
      ),
      Next: 'CheckLock',
    },
    CheckLock: {
      Type: 'Choice',
      Choices: [{ Variable: '$.status', StringEquals: 'already_running', Next: 'AlreadyRunning' }],
      Default: first,
    },
    AlreadyRunning: {
      Type: 'Pass',
      Parameters: fields('status', 'running_execution'),
      End: true,
    },
  };
}
