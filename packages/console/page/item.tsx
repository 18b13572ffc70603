import type { ItemRun } from '../items.ts';
import type { ItemLog } from '../log_lines.ts';
import { placeOf, useAnswer } from './client.tsx';
import { Answered, Badge, Json, seconds, Time, Title } from './parts.tsx';
import { States } from './states.tsx';

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
