import type { TestStack } from './test_stack.ts';

interface Definition {
  readonly States: {
    readonly ProcessReceipts: {
      readonly ItemProcessor: {
        readonly States: {
          readonly ProcessReceipt: {
            readonly Retry: readonly {
              readonly ErrorEquals: readonly string[];
              readonly MaxAttempts: number;
            }[];
          };
        };
      };
    };
  };
}

/** How often the deployed state machine processes a receipt again after this error. */
export function retriesOf(stack: TestStack, error: string): number {
  const machine = stack.local.aws.deployment.resources.find(
    ({ type }) => type === 'aws:sfn/stateMachine:StateMachine',
  );
  const { States } = JSON.parse(String(machine?.state['definition'])) as Definition;
  const { Retry } = States.ProcessReceipts.ItemProcessor.States.ProcessReceipt;
  return Retry.find(({ ErrorEquals }) => ErrorEquals.includes(error))?.MaxAttempts ?? 0;
}
