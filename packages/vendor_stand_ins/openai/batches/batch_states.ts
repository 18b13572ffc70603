import type { BatchScript, BatchState } from './batch_script.ts';

const ranks: Readonly<Record<BatchState, number>> = {
  validating: 0,
  in_progress: 1,
  finalizing: 2,
  cancelling: 2,
  completed: 3,
  expired: 3,
  cancelled: 3,
  failed: 3,
};

/** A state that no batch leaves. */
export type EndState = Extract<BatchState, 'completed' | 'expired' | 'cancelled' | 'failed'>;

export function isEnd(state: BatchState): state is EndState {
  return ranks[state] === ranks.completed;
}

/** Whether a batch in the one state may still come to the other. */
export function leadsTo(state: BatchState, goal: BatchState): boolean {
  return state === goal || ranks[state] < ranks[goal];
}

/** The state after one that is no end, on the way to `goal` if one is given, else as the script says. */
export function nextState(
  state: Exclude<BatchState, EndState>,
  goal: BatchState | undefined,
  { end, stays }: BatchScript,
): BatchState {
  const ending = goal !== undefined && isEnd(goal) ? goal : end;
  if (goal === 'failed') return 'failed';
  switch (state) {
    case 'validating':
      return goal === undefined && end === 'failed' ? 'failed' : 'in_progress';
    case 'in_progress': {
      const cancels =
        goal === undefined
          ? end === 'cancelled' || stays === 'cancelling'
          : goal === 'cancelled' || goal === 'cancelling';
      return cancels ? 'cancelling' : 'finalizing';
    }
    case 'finalizing':
      // A script that lets it fail or be cancelled comes too late for that.
      return ending === 'expired' ? 'expired' : 'completed';
    case 'cancelling':
      return 'cancelled';
  }
}

/**
 * When a state that began at `since` is over by itself: validation, the work and the output take a third of the
 * latency each, counted from the creation; a cancellation takes as long as one of them. Epoch milliseconds.
 */
export function endOfState(
  state: Exclude<BatchState, EndState>,
  since: number,
  created: number,
  latencyMs: number,
): number {
  const third = latencyMs / 3;
  switch (state) {
    case 'validating':
      return created + third;
    case 'in_progress':
      return Math.max(since, created + 2 * third);
    case 'finalizing':
      return Math.max(since, created + latencyMs);
    case 'cancelling':
      return since + third;
  }
}
