/** What Step Functions answers when the arguments name something that is not there, or that it can't take. */
const REFUSALS: ReadonlySet<string> = new Set([
  'ExecutionDoesNotExist',
  'InvalidArn',
  'InvalidExecutionInput',
  'InvalidName',
  'StateMachineDeleting',
  'StateMachineDoesNotExist',
  'ValidationException',
]);

/** @returns undefined for an error that is not about the arguments. */
export function describeRefusal(error: unknown): string | undefined {
  if (!(error instanceof Error) || !REFUSALS.has(error.name)) return undefined;
  return `AWS refuses this: ${error.name}: ${error.message}`;
}
