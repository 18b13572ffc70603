import type { TestStack } from './test_stack.ts';

interface State {
  readonly Retry?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly MaxAttempts: number;
  }[];
  readonly ItemProcessor?: { readonly States: States };
}

type States = Readonly<Record<string, State>>;

/** How often the deployed state machines try a state again after this error. The state may be in a Map's processor. */
export function retriesOfState(stack: TestStack, name: string, error: string): number {
  const definitions = stack.local.aws.deployment.resources
    .filter(({ type }) => type === 'aws:sfn/stateMachine:StateMachine')
    .map(({ state }) => JSON.parse(String(state['definition'])) as { readonly States: States });
  const state = definitions.map(({ States }) => find(States, name)).find(Boolean);
  if (state === undefined) throw new Error(`there is no state ${name}`);
  const retrier = (state.Retry ?? []).find(({ ErrorEquals }) => ErrorEquals.includes(error));
  return retrier?.MaxAttempts ?? 0;
}

function find(states: States, name: string): State | undefined {
  const inner = Object.values(states).flatMap(({ ItemProcessor }) =>
    ItemProcessor === undefined ? [] : [ItemProcessor.States],
  );
  return states[name] ?? inner.map((own) => find(own, name)).find(Boolean);
}

/** How often the deployed state machine processes a receipt again after this error. */
export function retriesOf(stack: TestStack, error: string): number {
  return retriesOfState(stack, 'ProcessReceipt', error);
}
