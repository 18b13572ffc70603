import { useState } from 'preact/hooks';
import type { BatchesView, StoresView } from 'receipts-cli/status/sections';
import type { CompactionCounts, StatusCounts } from 'receipts-cli/table/counts';
import type { StackView } from '../api.ts';
import { placeOf, useAnswer } from './client.tsx';
import { Badge, Facts, Loading, number, Problem, seconds, Time, Title } from './parts.tsx';

/** What `receipts status` says, and which stores there are. */
export function Stack({ stack }: { readonly stack: StackView }) {
  return (
    <>
      <Title>{stack.stack ?? (stack.is_local ? 'The local stack' : 'The stack')}</Title>
      <Entities isLocal={stack.is_local} />
      <Stores isLocal={stack.is_local} />
      <Batches />
      <Compaction />
      <section>
        <h2>Outputs</h2>
        <Facts long rows={Object.entries(stack.outputs)} />
      </section>
    </>
  );
}

function Entities({ isLocal }: { readonly isLocal: boolean }) {
  const [wanted, setWanted] = useState(isLocal);
  const { answer, problem } = useAnswer<StatusCounts>(wanted ? '/api/stack/entities' : undefined);
  return (
    <section>
      <h2>Lines and words</h2>
      {!wanted && (
        <p>
          <button
            type="button"
            onClick={() => {
              setWanted(true);
            }}
          >
            Count them
          </button>{' '}
          <span class="quiet">DynamoDB reads a whole index for it: some cents for a million.</span>
        </p>
      )}
      <Problem text={problem} />
      {answer === undefined ? (
        wanted && problem === undefined && <Loading />
      ) : (
        <Bars counts={answer} />
      )}
    </section>
  );
}

/** What each store lacks, by the records of receipts. */
function Stores({ isLocal }: { readonly isLocal: boolean }) {
  const [wanted, setWanted] = useState(isLocal);
  const { answer, problem } = useAnswer<StoresView>(wanted ? '/api/stack/stores' : undefined);
  return (
    <section>
      <h2>Stores</h2>
      {!wanted && (
        <p>
          <button
            type="button"
            onClick={() => {
              setWanted(true);
            }}
          >
            Count what they lack
          </button>{' '}
          <span class="quiet">Every record of a receipt is read for it.</span>
        </p>
      )}
      <Problem text={problem} />
      {answer === undefined ? (
        wanted && problem === undefined && <Loading />
      ) : (
        <>
          <p>{number(answer.receipts)} receipts are embedded.</p>
          <table>
            <thead>
              <tr>
                <th>Store</th>
                <th class="right">full for</th>
                <th class="right">lacks</th>
                <th class="right">to settle</th>
              </tr>
            </thead>
            <tbody>
              {answer.stores.map((store) => (
                <tr key={store.name}>
                  <td>{store.name}</td>
                  <td class="right">{number(answer.receipts - store.lacks)}</td>
                  <td class="right">{number(store.lacks)}</td>
                  <td class="right">{number(store.unsettled)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </section>
  );
}

function Bars({ counts }: { readonly counts: StatusCounts }) {
  const statuses = Object.keys(counts.lines) as (keyof StatusCounts['lines'])[];
  return (
    <table>
      <thead>
        <tr>
          <th>Status</th>
          <th class="right">lines</th>
          <th class="right">words</th>
        </tr>
      </thead>
      <tbody>
        {statuses.map((status) => (
          <tr key={status}>
            <td>
              <Badge status={status} />
            </td>
            <td class="right">{number(counts.lines[status])}</td>
            <td class="right">{number(counts.words[status])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Batches() {
  const { answer, problem } = useAnswer<BatchesView>('/api/stack/batches');
  return (
    <section>
      <h2>Batches</h2>
      <Problem text={problem} />
      {answer === undefined ? (
        problem === undefined && <Loading />
      ) : (
        <>
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th>State</th>
                  <th class="right">of lines</th>
                  <th class="right">of words</th>
                  <th class="right">oldest</th>
                </tr>
              </thead>
              <tbody>
                {answer.active
                  .filter(({ lines, words }) => lines + words > 0)
                  .map((one) => (
                    <tr key={one.status}>
                      <td>
                        <Badge status={one.status} />
                      </td>
                      <td class="right">{number(one.lines)}</td>
                      <td class="right">{number(one.words)}</td>
                      <td class="right">{seconds(one.oldest_age_seconds)}</td>
                    </tr>
                  ))}
                {answer.ended.map((one) => (
                  <tr key={one.status}>
                    <td>
                      <Badge status={one.status} />
                    </td>
                    <td class="right">{number(one.lines)}</td>
                    <td class="right">{number(one.words)}</td>
                    <td class="right">–</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <ul class="rows">
            {answer.troubled.map((one) => (
              <li key={one.batch_id}>
                <span class="id">{one.batch_id}</span> <Badge status={one.status} /> for{' '}
                {seconds(one.age_seconds)}: {one.problems.join(', ').replaceAll('_', ' ')}{' '}
                {one.last_error}
              </li>
            ))}
            {answer.newest_with_reason.map((one) => (
              <li key={one.batch_id}>
                <span class="id">{one.batch_id}</span> <Badge status={one.status} /> {one.reason}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Compaction() {
  const { answer, problem } = useAnswer<CompactionCounts>('/api/stack/runs');
  return (
    <section>
      <h2>Deltas by compaction state</h2>
      <Problem text={problem} />
      {answer === undefined ? (
        problem === undefined && <Loading />
      ) : (
        <>
          <Facts
            rows={(['lines', 'words'] as const).map((kind) => [
              kind,
              Object.entries(answer[kind])
                .filter(([, count]) => count > 0)
                .map(([state, count]) => (
                  <span key={state} class="field">
                    {number(count)} {state}
                  </span>
                )),
            ])}
          />
          <ul class="rows">
            {answer.newest_failed.map((run) => (
              <li key={run.run_id}>
                <a
                  href={placeOf('receipt', { image_id: run.image_id, receipt_id: run.receipt_id })}
                >
                  {run.image_id} {run.receipt_id}
                </a>{' '}
                <Time at={run.created_at} /> {run.lines_error} {run.words_error}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
