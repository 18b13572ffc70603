import type { StateView } from '../states.ts';
import { seconds } from './parts.tsx';

/** The states of an execution in their order, each with its share of the longest one's time. */
export function States({ states }: { readonly states: readonly StateView[] | null }) {
  if (states === null) return <p class="quiet">The history of its states is not kept.</p>;
  const longest = Math.max(0.001, ...states.map((state) => state.seconds ?? 0));
  return (
    <section>
      <h2>States</h2>
      <ol class="states">
        {states.map((state) => (
          <li key={`${state.name} ${state.entered_at}`}>
            <span class="state">{state.name}</span>
            <span class="quiet">{state.type}</span>
            <span class="right">
              {state.exited_at === null ? (state.failures > 0 ? 'ended here' : '…') : ''}
              {state.seconds === null ? '' : seconds(state.seconds)}
            </span>
            <meter
              class={state.failures > 0 ? 'failed' : ''}
              min={0}
              max={longest}
              value={state.seconds ?? 0}
              aria-label={`${state.name}, share of the longest`}
            />
            {state.failures > 0 && (
              <div class="cause">
                failed {state.failures === 1 ? 'once' : `${state.failures} times`}: {state.error}
                {state.cause === undefined || state.cause === '' ? '' : `: ${state.cause}`}
              </div>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
