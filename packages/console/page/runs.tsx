import { useState } from 'preact/hooks';
import type { Item, ItemCounts, ItemRun } from '../items.ts';
import type { ItemLog } from '../log_lines.ts';
import type { ListedRun, Run } from '../runs.ts';
import type { StateView } from '../states.ts';
import { placeOf, useAnswer, useStream } from './client.tsx';
import {
  Answered,
  Badge,
  Facts,
  Json,
  moveFocus,
  number,
  seconds,
  Time,
  Title,
  toneOf,
} from './parts.tsx';

/** The executions of the workflows, as they come. */
export function Runs() {
  const [most, setMost] = useState(10);
  const [runs, setRuns] = useState<readonly ListedRun[]>();
  const problem = useStream(`/api/runs/events?most=${most}`, {
    runs: (data) => {
      setRuns(data as ListedRun[]);
    },
  });
  return (
    <>
      <Title>Runs</Title>
      <Answered answer={runs} problem={problem}>
        {(runs) =>
          runs.length === 0 ? (
            <p>
              Nothing has run yet. <code>npx receipts execute realtime</code> starts something.
            </p>
          ) : (
            <>
              <div class="scroll">
                <table class="runs">
                  <thead>
                    <tr>
                      <th>Execution</th>
                      <th>Workflow</th>
                      <th>Status</th>
                      <th>Started (UTC)</th>
                      <th class="right">Took</th>
                    </tr>
                  </thead>
                  <tbody>
                    {runs.map((run) => (
                      <tr key={run.arn}>
                        <td>
                          <a href={placeOf('run', { arn: run.arn })}>{run.name}</a>
                          {run.error !== undefined && (
                            <div class="cause">
                              {run.error}: {run.cause}
                            </div>
                          )}
                        </td>
                        <td>{run.workflow.replace('_', '-')}</td>
                        <td>
                          <Badge status={run.status} />
                        </td>
                        <td>
                          <Time at={run.started_at} />
                        </td>
                        <td class="right">
                          {run.stopped_at === null ? '…' : seconds(run.seconds)}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
              {most < 100 && runs.length >= most && (
                <button
                  type="button"
                  onClick={() => {
                    setMost(100);
                  }}
                >
                  Show up to 100 of each workflow
                </button>
              )}
            </>
          )
        }
      </Answered>
    </>
  );
}

/** One execution: its states, and its items as a grid. */
export function RunPage({ query }: { readonly query: URLSearchParams }) {
  const arn = query.get('arn') ?? '';
  const after = query.get('after');
  const [run, setRun] = useState<Run>();
  const [counts, setCounts] = useState<ItemCounts>();
  const [more, setMore] = useState<string | null>(null);
  const [items, setItems] = useState<ReadonlyMap<string, Item>>(new Map());
  const search = new URLSearchParams({ arn, ...(after === null ? {} : { after }) });
  const problem = useStream(`/api/run/events?${search.toString()}`, {
    run: (data) => {
      setRun(data as Run);
    },
    counts: (data) => {
      setCounts(data as ItemCounts);
    },
    more: (data) => {
      setMore(data as string | null);
    },
    items: (data) => {
      setItems((before) => {
        const all = new Map(before);
        for (const item of data as Item[]) all.set(item.arn, item);
        return all;
      });
    },
  });
  return (
    <>
      <p class="crumbs">
        <a href="#/runs">Runs</a>
      </p>
      <Title>{run?.name ?? 'Execution'}</Title>
      <Answered answer={run} problem={problem}>
        {(run) => (
          <>
            <p class="line">
              <Badge status={run.status} />
              <span>
                <Time at={run.started_at} /> UTC
              </span>
              <span>{run.stopped_at === null ? 'running' : seconds(run.seconds)}</span>
            </p>
            {run.error !== null && (
              <p class="problem">
                {run.error}
                {run.cause === null ? '' : `: ${run.cause}`}
              </p>
            )}
            {run.next.map((line) =>
              line.startsWith('  ') ? (
                <pre key={line}>{line.trim()}</pre>
              ) : (
                <p key={line}>{line}</p>
              ),
            )}
            {counts !== undefined && (
              <Grid arn={arn} items={[...items.values()]} counts={counts} more={more} />
            )}
            {run.summary !== null && <Summary summary={run.summary} />}
            <States states={run.states} />
            <Json title="Input" value={run.input} />
            {run.summary === null && <Json title="Output" value={run.output} />}
          </>
        )}
      </Answered>
    </>
  );
}

/** What needs a look comes first. */
const ORDER = ['failed', 'running', 'ended'];

function rank({ outcome }: Item): number {
  const at = ORDER.indexOf(outcome);
  return at < 0 ? ORDER.length : at;
}

function Grid({
  arn,
  items,
  counts,
  more,
}: {
  readonly arn: string;
  readonly items: readonly Item[];
  readonly counts: ItemCounts;
  readonly more: string | null;
}) {
  const sorted = items.toSorted((a, b) => rank(a) - rank(b) || a.outcome.localeCompare(b.outcome));
  const byOutcome = Map.groupBy(sorted, ({ outcome }) => outcome);
  const failed = byOutcome.get('failed') ?? [];
  return (
    <section>
      <h2>Items</h2>
      <p class="line" role="status">
        <span>
          {number(counts.done)} of {number(counts.total)} ended
        </span>
        {[...byOutcome].map(([outcome, some]) => (
          <span key={outcome}>
            <span class={`dot ${toneOf(outcome)}`} /> {number(some.length)} {outcome}
          </span>
        ))}
      </p>
      {failed.length > 0 && (
        <ul class="rows">
          {failed.slice(0, 20).map((item) => (
            <li key={item.arn}>
              <Badge status="failed" />{' '}
              <a href={placeOf('item', { arn: item.arn, run: arn })}>{item.of}</a>
            </li>
          ))}
        </ul>
      )}
      <div class="grid" onKeyDown={moveFocus} role="group" aria-label="All items, failed first">
        {sorted.map((item, at) => (
          <a
            key={item.arn}
            href={placeOf('item', { arn: item.arn, run: arn })}
            class={toneOf(item.outcome)}
            tabIndex={at === 0 ? 0 : -1}
            title={`${item.outcome} · ${item.of} · ${seconds(item.seconds)}`}
            aria-label={`${item.outcome} ${item.of}`}
          />
        ))}
      </div>
      {more !== null && (
        <p>
          <a href={placeOf('run', { arn, after: more })}>The next {number(1_000)}</a>
        </p>
      )}
    </section>
  );
}

function Summary({ summary }: { readonly summary: Readonly<Record<string, unknown>> }) {
  const rows = Object.entries(summary).flatMap(([name, value]) =>
    typeof value === 'number' || typeof value === 'boolean'
      ? [[name.replaceAll('_', ' '), typeof value === 'number' ? number(value) : String(value)]]
      : [],
  );
  return (
    <section>
      <h2>Summary</h2>
      <Facts rows={rows as [string, string][]} />
    </section>
  );
}

function States({ states }: { readonly states: readonly StateView[] | null }) {
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

/** One item of an execution, and its log. */
export function ItemPage({ query }: { readonly query: URLSearchParams }) {
  const arn = query.get('arn') ?? '';
  const run = query.get('run');
  const search = new URLSearchParams({ arn }).toString();
  const asked = useAnswer<ItemRun>(`/api/item?${search}`);
  return (
    <>
      <p class="crumbs">
        <a href="#/runs">Runs</a>
        {run !== null && <a href={placeOf('run', { arn: run })}>{run.split(':').at(-1)}</a>}
      </p>
      <Title>{asked.answer === undefined ? 'Item' : nameOf(asked.answer)}</Title>
      <Answered {...asked}>
        {(item) => (
          <>
            <p class="line">
              <Badge status={item.outcome} />
              <span>
                <Time at={item.started_at} /> UTC
              </span>
              <span>{item.stopped_at === null ? 'running' : seconds(item.seconds)}</span>
              {item.image_id !== null && item.receipt_id !== null && (
                <a
                  href={placeOf('receipt', {
                    image_id: item.image_id,
                    receipt_id: item.receipt_id,
                  })}
                >
                  Its receipt
                </a>
              )}
            </p>
            {item.failure !== null && (
              <p class="problem">
                <strong>{item.failure.error}</strong>: {item.failure.cause}
              </p>
            )}
            {item.deltas.length > 0 && (
              <ul class="rows id" aria-label="Its deltas">
                {item.deltas.map((delta) => (
                  <li key={delta}>{delta}</li>
                ))}
              </ul>
            )}
            <Log path={`/api/item/log?${search}`} />
            <States states={item.states} />
            <Json title="Input" value={item.input} />
            <Json title="Output" value={item.output} />
          </>
        )}
      </Answered>
    </>
  );
}

function nameOf({ batch_id, image_id, receipt_id, name }: ItemRun): string {
  return batch_id ?? `${image_id ?? name} ${receipt_id ?? ''}`;
}

/** What every line of the item's log has alike. */
const OWN_IDS: ReadonlySet<string> = new Set([
  'request_id',
  'execution_name',
  'image_id',
  'receipt_id',
  'batch_id',
]);

function isPlain(value: unknown): boolean {
  return value !== null && typeof value !== 'object';
}

function Log({ path }: { readonly path: string }) {
  const asked = useAnswer<ItemLog>(path);
  return (
    <section>
      <h2>Log</h2>
      <Answered {...asked}>
        {(log) => (
          <>
            {log.note !== null && <p class="quiet">{log.note}</p>}
            {log.lines.length === 0 && log.note === null && <p class="quiet">No line.</p>}
            <ol class="log">
              {log.lines.map((line, at) => (
                <li key={at} class={`level-${line.level.toLowerCase()}`}>
                  <time dateTime={line.at}>{line.at.slice(11, 23)}</time>
                  <span class="level">{line.level}</span>
                  <span>
                    {line.message}
                    {Object.entries(line.fields)
                      .filter(([name, value]) => !OWN_IDS.has(name) && isPlain(value))
                      .map(([name, value]) => (
                        <span key={name} class="field">
                          {name}={String(value)}
                        </span>
                      ))}
                  </span>
                </li>
              ))}
            </ol>
          </>
        )}
      </Answered>
    </section>
  );
}
