import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ArrivalsView } from 'receipts-cli/status/arrivals';
import type { BatchesView, StoresView } from 'receipts-cli/status/sections';
import type { CompactionCounts, StatusCounts } from 'receipts-cli/table/counts';
import type { StackView } from '../api.ts';
import { identityOf, placeOf, useAnswer } from './client.tsx';
import { Answered, Badge, Facts, number, seconds, Time, Title } from './parts.tsx';

/** What `receipts status` says, and which stores there are. */
export function Stack({ stack }: { readonly stack: StackView }) {
  return (
    <>
      <Title>{stack.stack ?? (stack.is_local ? 'The local stack' : 'The stack')}</Title>
      <OnDemand
        title="Lines and words"
        atOnce={stack.is_local}
        button="Count them"
        cost="DynamoDB reads a whole index for it: some cents for a million."
      >
        <Entities />
      </OnDemand>
      <OnDemand
        title="Stores"
        atOnce={stack.is_local}
        button="Count what they lack"
        cost="Every record of a receipt is read for it."
      >
        <Stores />
      </OnDemand>
      {stack.outputs['arrivals_queue_url'] === undefined ? null : <Arrivals />}
      <Batches />
      <Compaction />
      <section>
        <h2>Outputs</h2>
        <Facts long rows={Object.entries(stack.outputs)} />
      </section>
    </>
  );
}

/** What costs money to count: elsewhere than on the local stack, only when it is wanted. */
function OnDemand({
  title,
  atOnce,
  button,
  cost,
  children,
}: {
  readonly title: string;
  readonly atOnce: boolean;
  readonly button: string;
  readonly cost: string;
  readonly children: ComponentChildren;
}) {
  const [wanted, setWanted] = useState(atOnce);
  return (
    <section>
      <h2>{title}</h2>
      {wanted ? (
        children
      ) : (
        <p>
          <button
            type="button"
            onClick={() => {
              setWanted(true);
            }}
          >
            {button}
          </button>{' '}
          <span class="quiet">{cost}</span>
        </p>
      )}
    </section>
  );
}

function Entities() {
  const asked = useAnswer<StatusCounts>('/api/stack/entities');
  return (
    <Answered {...asked}>
      {(counts) => (
        <table>
          <thead>
            <tr>
              <th>Status</th>
              <th class="right">lines</th>
              <th class="right">words</th>
            </tr>
          </thead>
          <tbody>
            {(Object.keys(counts.lines) as (keyof StatusCounts['lines'])[]).map((status) => (
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
      )}
    </Answered>
  );
}

/** What each store lacks, by the records of receipts. */
function Stores() {
  const asked = useAnswer<StoresView>('/api/stack/stores');
  return (
    <Answered {...asked}>
      {({ receipts, stores }) => (
        <>
          <p>{number(receipts)} receipts are embedded.</p>
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
              {stores.map((store) => (
                <tr key={store.name}>
                  <td>{store.name}</td>
                  <td class="right">{number(receipts - store.lacks)}</td>
                  <td class="right">{number(store.lacks)}</td>
                  <td class="right">{number(store.unsettled)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </Answered>
  );
}

/** What changes of the table have left to do. */
function Arrivals() {
  const asked = useAnswer<ArrivalsView>('/api/stack/arrivals');
  return (
    <section>
      <h2>Arrivals</h2>
      <Answered {...asked}>
        {({ waiting, under_way, failed }) => (
          <>
            <Facts
              rows={[
                ['wait until their receipts are quiet', number(waiting)],
                ['are being taken up', number(under_way)],
                ['failed', number(failed)],
              ]}
            />
            <p class="quiet">
              In messages of one receipt or more.
              {failed === 0 ? '' : ' To take up what failed: npx receipts redo arrivals'}
            </p>
          </>
        )}
      </Answered>
    </section>
  );
}

function Batches() {
  const asked = useAnswer<BatchesView>('/api/stack/batches');
  return (
    <section>
      <h2>Batches</h2>
      <Answered {...asked}>
        {(answer) => (
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
      </Answered>
    </section>
  );
}

function Compaction() {
  const asked = useAnswer<CompactionCounts>('/api/stack/runs');
  return (
    <section>
      <h2>Deltas by compaction state</h2>
      <Answered {...asked}>
        {(answer) => (
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
                  <a href={placeOf('receipt', identityOf(run))}>
                    {run.image_id} {run.receipt_id}
                  </a>{' '}
                  <Time at={run.created_at} /> {run.lines_error} {run.words_error}
                </li>
              ))}
            </ul>
          </>
        )}
      </Answered>
    </section>
  );
}
