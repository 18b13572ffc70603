import { useState } from 'preact/hooks';
import type { SearchOutput } from 'receipt-embedding/search/search';
import type { DrawnReceipt } from '../receipts.ts';
import { identityOf, placeOf, useAnswer } from './client.tsx';
import { type Colouring, COLOURINGS, Drawing } from './drawing.tsx';
import { Answered, Badge, Facts, Json, Title } from './parts.tsx';

/** A receipt, drawn, and what is known of the line or word that is chosen. */
export function ReceiptPage({ query }: { readonly query: URLSearchParams }) {
  const image_id = query.get('image_id') ?? '';
  const receipt_id = query.get('receipt_id') ?? '';
  const search = new URLSearchParams({ image_id, receipt_id }).toString();
  const asked = useAnswer<DrawnReceipt>(`/api/receipt?${search}`);
  const [colour, setColour] = useState<Colouring>('status');
  const chosen = query.get('id');
  const placeOfId = (id: string): string => placeOf('receipt', { image_id, receipt_id, id });
  return (
    <>
      <p class="crumbs">
        <a href="#/receipts">Receipts</a>
      </p>
      <Title>{asked.answer?.merchant_name ?? 'Receipt'}</Title>
      <p class="quiet id">
        {image_id} {receipt_id}
      </p>
      <Answered {...asked}>
        {(receipt) => (
          <>
            <fieldset class="line">
              <legend>Coloured by</legend>
              {COLOURINGS.map((one) => (
                <label key={one}>
                  <input
                    type="radio"
                    name="colour"
                    checked={colour === one}
                    onChange={() => {
                      setColour(one);
                    }}
                  />{' '}
                  {one}
                </label>
              ))}
            </fieldset>
            {receipt.invalid_rows > 0 && (
              <p class="problem">{receipt.invalid_rows} rows of it can't be read.</p>
            )}
            <div class="beside">
              <Drawing receipt={receipt} chosen={chosen} colour={colour} placeOfId={placeOfId} />
              <Details receipt={receipt} chosen={chosen} />
            </div>
            <Json title="Record" value={receipt.record} />
          </>
        )}
      </Answered>
    </>
  );
}

function Details({
  receipt,
  chosen,
}: {
  readonly receipt: DrawnReceipt;
  readonly chosen: string | null;
}) {
  const word = receipt.words.find(({ id }) => id === chosen);
  const entity = word ?? receipt.lines.find(({ id }) => id === chosen);
  if (entity === undefined) {
    return (
      <aside class="details" aria-live="polite">
        <p class="quiet">
          Choose a word for its text, labels, input and neighbours: with the mouse, or with Tab, the
          arrows and Enter.
        </p>
        <Legend receipt={receipt} />
      </aside>
    );
  }
  const { box, confidence, input } = entity;
  const line = receipt.lines.find(({ line_id }) => line_id === entity.line_id);
  return (
    <aside class="details" aria-live="polite">
      <h2>{entity.text}</h2>
      <Facts
        rows={[
          ['status', <Badge status={entity.status} />],
          ['confidence', confidence.toFixed(2)],
          [
            'line',
            word === undefined || line === undefined ? (
              entity.line_id
            ) : (
              <a href={placeOf('receipt', { ...identityOf(receipt), id: line.id })}>{line.text}</a>
            ),
          ],
          ['box', [box.x, box.y, box.width, box.height].map((one) => one.toFixed(3)).join(' ')],
          ...(word === undefined
            ? []
            : [
                [
                  'labels',
                  word.labels.length === 0
                    ? 'none'
                    : word.labels.map(({ label, status }) => (
                        <span key={label} class="line">
                          {label} <Badge status={status} />
                        </span>
                      )),
                ] as const,
              ]),
          ...(entity.is_noise ? [['noise', 'never embedded'] as const] : []),
        ]}
      />
      {input !== null && (
        <>
          <h3>What is embedded</h3>
          <pre>{input}</pre>
        </>
      )}
      {entity.status === 'SUCCESS' && (
        <Neighbours id={entity.id} entity={word === undefined ? 'lines' : 'words'} />
      )}
    </aside>
  );
}

function Legend({ receipt }: { readonly receipt: DrawnReceipt }) {
  const counts = new Map<string, number>();
  for (const { status } of [...receipt.lines, ...receipt.words]) {
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  return (
    <ul class="rows">
      {[...counts].map(([status, count]) => (
        <li key={status}>
          <Badge status={status} /> {count}
        </li>
      ))}
    </ul>
  );
}

function Neighbours({ id, entity }: { readonly id: string; readonly entity: 'lines' | 'words' }) {
  const request = JSON.stringify({ like: id, entity, k: 5 });
  const asked = useAnswer<SearchOutput>(
    `/api/search?${new URLSearchParams({ request }).toString()}`,
  );
  return (
    <>
      <h3>Neighbours in the store</h3>
      <Answered {...asked}>
        {(answer) => (
          <ol class="hits">
            {answer.hits.map((hit) => (
              <li key={hit.id}>
                <span class="score">{hit.score?.toFixed(2)}</span>{' '}
                <a href={placeOf('receipt', { ...identityOf(hit), id: hit.id })}>{hit.text}</a>{' '}
                <span class="quiet">{hit.merchant_name}</span>
              </li>
            ))}
          </ol>
        )}
      </Answered>
      <p>
        <a href={placeOf('search', { like: id, entity })}>More like this</a>
      </p>
    </>
  );
}
