import type { StoreName } from 'receipt-embedding/stores/vector_store';
import {
  isDistributed,
  type MapState,
  type State,
} from '../../../components/state_machines/asl.ts';
import { batchPollStateMachine } from '../../../components/state_machines/batch_poll.ts';
import { batchSubmitStateMachine } from '../../../components/state_machines/batch_submit.ts';
import { realtimeStateMachine } from '../../../components/state_machines/realtime.ts';

/** How many states are entered, which is what Step Functions bills, where nothing fails and nothing is retried. */
export interface Transitions {
  readonly realtime: {
    /** The execution itself, whatever it has to do. */
    readonly execution: number;
    readonly receipt: number;
  };
  readonly submit: { readonly execution: number; readonly batch: number };
  readonly poll: {
    readonly execution: number;
    /** A batch that OpenAI is still at work on. */
    readonly running: number;
    /** A batch that is ingested, without its parts. */
    readonly ingested: number;
    readonly part: number;
  };
}

interface Block {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** Nothing of them decides which states there are; the stores do. */
export const SETTINGS = {
  functionArn: () => '',
  bucket: '',
  maxConcurrency: 1,
  childExecutionType: 'STANDARD',
  toleratedFailurePercentage: 0,
} as const;

/** The way through CheckStatus of a batch whose results are there. */
const INGESTED = { CheckStatus: 'DownloadResults' };

/** Counts them in the state machines' own definitions, of a stack with these stores. */
export function countTransitions(stores: readonly StoreName[]): Transitions {
  const settings = { ...SETTINGS, stores };
  const realtime = realtimeStateMachine(settings);
  const submit = batchSubmitStateMachine(settings);
  const poll = batchPollStateMachine(settings);
  const batch = itemsOf(poll, (map) => isDistributed(map));
  return {
    realtime: { execution: way(realtime), receipt: way(itemsOf(realtime, isDistributed)) },
    submit: { execution: way(submit), batch: way(itemsOf(submit, isDistributed)) },
    poll: {
      execution: way(poll),
      running: way(batch),
      ingested: way(batch, INGESTED),
      part: way(itemsOf(batch, (map) => !isDistributed(map))),
    },
  };
}

/** What a block's only Map of a kind does with each item. */
function itemsOf({ States }: Block, isOfKind: (map: MapState) => boolean): Block {
  for (const state of Object.values(States)) {
    if (state.Type === 'Map' && isOfKind(state)) return state.ItemProcessor;
  }
  throw new Error('the state machine has no such Map');
}

/** How many states an execution of a block enters: at a choice its default, unless another is chosen. */
export function way(
  { StartAt, States }: Block,
  choices: Readonly<Record<string, string>> = {},
): number {
  let count = 0;
  for (let name: string | undefined = StartAt; name !== undefined; count++) {
    const state: State | undefined = States[name];
    if (state === undefined) throw new Error(`the state machine has no state ${name}`);
    name = nextOf(state, choices[name]);
  }
  return count;
}

function nextOf(state: State, chosen: string | undefined): string | undefined {
  if (state.Type === 'Choice') return chosen ?? state.Default;
  return 'Next' in state ? state.Next : undefined;
}
