import { useState } from 'preact/hooks';
import type { SearchOutput } from 'receipt-embedding/search/search';
import type {
  DrawnEntity,
  DrawnReceipt,
  DrawnWord,
  ListedReceipt,
  ReceiptPage as Listed,
} from '../receipts.ts';
import { placeOf, useAnswer } from './client.tsx';
import { Answered, Badge, Facts, Json, moveFocus, Title } from './parts.tsx';

/** All receipts, a page at a time. */
export function Receipts({ query }: { readonly query: URLSearchParams }) {
  const asked = useAnswer<Listed>(`/api/receipts?${query.toString()}`);
  return (
    <>
      <Title>Receipts</Title>
      <Answered {...asked}>
        {(answer) => (
          <>
            {answer.receipts.length === 0 && <p>There are none.</p>}
            <ul class="rows">
              {answer.receipts.map((receipt) => (
                <li key={`${receipt.image_id} ${receipt.receipt_id}`}>
                  <a href={placeOf('receipt', identityOf(receipt))}>
                    {receipt.merchant_name ?? 'unknown merchant'}
                  </a>{' '}
                  <span class="quiet id">
                    {receipt.image_id} {receipt.receipt_id}
                  </span>
                </li>
              ))}
            </ul>
            <p class="line">
              {query.has('image_id') && <a href="#/receipts">First page</a>}
              {answer.next !== null && (
                <a href={placeOf('receipts', identityOf(answer.next))}>Next page</a>
              )}
            </p>
          </>
        )}
      </Answered>
    </>
  );
}

function identityOf({ image_id, receipt_id }: Pick<ListedReceipt, 'image_id' | 'receipt_id'>) {
  return { image_id, receipt_id };
}

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

const COLOURINGS = ['status', 'label', 'confidence'] as const;
type Colouring = (typeof COLOURINGS)[number];

/** Units of the drawing's width. */
const WIDTH = 1_000;
/** Height by width, of a receipt that no row says it of, and within which bounds it is drawn. */
const ASPECT = { usual: 2, least: 0.4, most: 8 };

/** Where a box is in the drawing, which has its origin at the top left. */
function place({ x, y, width, height }: DrawnEntity['box'], tall: number) {
  return {
    x: x * WIDTH,
    y: (1 - y - height) * tall,
    width: Math.max(0, width * WIDTH),
    height: Math.max(0, height * tall),
  };
}

/** A receipt from its boxes: its words, or where there are none, its lines. */
export function Drawing({
  receipt,
  chosen,
  colour,
  placeOfId,
}: {
  readonly receipt: DrawnReceipt;
  readonly chosen: string | null;
  readonly colour: Colouring;
  readonly placeOfId: (id: string) => string;
}) {
  const aspect = Math.min(ASPECT.most, Math.max(ASPECT.least, receipt.aspect ?? ASPECT.usual));
  const tall = WIDTH * aspect;
  const { lines, words } = receipt;
  const shown: readonly (DrawnEntity | DrawnWord)[] = words.length > 0 ? words : lines;
  const framed = [...lines, ...words].find(({ id }) => id === chosen);
  const stop = shown.find(({ id }) => id === chosen) ?? shown[0];
  return (
    <svg
      class="receipt"
      viewBox={`0 0 ${WIDTH} ${tall}`}
      role="group"
      aria-label="The receipt, drawn from its boxes. Arrows go from word to word."
      onKeyDown={moveFocus}
    >
      {lines.map((line) => (
        <rect key={line.id} class="row" {...place(line.box, tall)} />
      ))}
      {shown.map((entity) => (
        <a
          key={entity.id}
          href={placeOfId(entity.id)}
          data-id={entity.id}
          tabIndex={entity === stop ? 0 : -1}
          aria-label={entity.text}
          aria-current={entity.id === chosen ? 'true' : undefined}
        >
          <Word entity={entity} tall={tall} colour={colour} />
        </a>
      ))}
      {framed !== undefined && <Frame entity={framed} tall={tall} />}
    </svg>
  );
}

function Word({
  entity,
  tall,
  colour,
}: {
  readonly entity: DrawnEntity | DrawnWord;
  readonly tall: number;
  readonly colour: Colouring;
}) {
  const box = place(entity.box, tall);
  return (
    <>
      <title>{entity.text}</title>
      <rect
        class={`word ${classOf(entity, colour)}`}
        fill-opacity={colour === 'confidence' ? 0.15 + 0.6 * (1 - entity.confidence) : undefined}
        {...box}
      />
      <text
        x={box.x}
        y={box.y + box.height * 0.78}
        font-size={box.height * 0.82}
        textLength={box.width}
        lengthAdjust="spacingAndGlyphs"
      >
        {entity.text}
      </text>
    </>
  );
}

/** A little larger than the box, which stays readable in it. */
const MARGIN = 4;

function Frame({ entity, tall }: { readonly entity: DrawnEntity; readonly tall: number }) {
  const { x, y, width, height } = place(entity.box, tall);
  return (
    <rect
      class="frame"
      data-frame={entity.id}
      x={x - MARGIN}
      y={y - MARGIN}
      width={width + 2 * MARGIN}
      height={height + 2 * MARGIN}
    />
  );
}

function classOf(entity: DrawnEntity | DrawnWord, colour: Colouring): string {
  if (colour === 'status') return `status-${entity.status.toLowerCase()}`;
  if (colour === 'confidence') return 'confidence';
  const labels = 'labels' in entity ? entity.labels : [];
  if (labels.some(({ status }) => status === 'VALID')) return 'label-valid';
  if (labels.some(({ status }) => status === 'INVALID')) return 'label-invalid';
  return labels.length > 0 ? 'label-other' : 'label-none';
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
