import type { State } from './asl.ts';

/** The execution's input, and beside it the execution's name, which its files are called by. */
export const EXECUTION_INPUT = {
  'Payload.$': 'States.JsonMerge($, $$.Execution, false)',
} as const;

/**
 * How every workflow ends: CheckFailures judges a summary with `failed_percentage`, which is the execution's output, or the
 * cause of its failure.
 *
 * @param toleratedFailurePercentage the execution fails when more than these percent failed.
 */
export function runOutcome(toleratedFailurePercentage: number): Readonly<Record<string, State>> {
  return {
    CheckFailures: {
      Type: 'Choice',
      Choices: [
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
    RunFailed: { Type: 'Fail', ErrorPath: '$.failure.Error', CausePath: '$.failure.Cause' },
  };
}
