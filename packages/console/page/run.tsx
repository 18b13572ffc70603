import { useState } from 'preact/hooks';
import type { Item, ItemCounts } from '../items.ts';
import type { Run } from '../runs.ts';
import { placeOf, useStream } from './client.tsx';
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
import { States } from './states.tsx';

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
