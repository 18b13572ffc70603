import type { ExecutionDescription } from 'embedded-aws/step_functions/api/execution_view';
import { expect } from 'vitest';
import { type FailureDescription, originalFailure } from '../../simple_lambdas/runtime/failures.ts';

/** What an execution failed of: its own error is RunFailed, always, and has the original one in its cause. */
export function expectRunFailed(execution: ExecutionDescription): FailureDescription {
  expect(execution).toMatchObject({ status: 'FAILED', error: 'RunFailed' });
  const { error = '', cause = '' } = execution;
  return originalFailure({ error, cause });
}
