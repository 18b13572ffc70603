import type { SearchOutput } from 'receipt-embedding/search/search';
import type { SearchHit } from 'receipt-embedding/search/search_hits';
import type { DrawnReceipt } from '../receipts.ts';
import { placeOf, useAnswer } from './client.tsx';
import { Answered, Loading, Problem, Title } from './parts.tsx';
import { Drawing } from './drawing.tsx';

/** The fields of a search, as `receipts search` has them; each is a field of the address. */
const TEXTS = [
  ['merchant', 'Merchant, exactly'],
  ['label', 'Words with the label'],
  ['not_label', 'Words without the valid label'],
  ['image_id', 'Image'],
  ['receipt_id', 'Receipt of the image'],
  ['k', 'How many (10)'],
  ['min_score', 'Lowest score'],
] as const;
const CHOICES = [
  ['label_is', 'The label is', ['', 'valid', 'invalid']],
  ['store', 'Store', ['', 's3_vectors', 'pinecone', 'chroma']],
  ['exclude_receipt', 'Without its own receipt', ['', 'self']],
  ['by_receipt', 'The best of each receipt', ['', 'true']],
] as const;
const NUMBERS: ReadonlySet<string> = new Set(['receipt_id', 'k', 'min_score']);
const FIELDS = [
  ...['query', 'like', 'entity'],
  ...[...TEXTS, ...CHOICES].map(([name]) => name),
] as const;

/** The function's event out of the address; undefined where nothing is asked. */
function requestOf(query: URLSearchParams): string | undefined {
  if (!query.has('query') && !query.has('like')) return undefined;
  const fields = FIELDS.flatMap((name) => {
    const text = query.get(name);
    if (text === null || text === '') return [];
    const value = NUMBERS.has(name) ? Number(text) : name === 'by_receipt' ? true : text;
    return [[name, value] as const];
  });
  return JSON.stringify(Object.fromEntries(fields));
}

export function Search({ query }: { readonly query: URLSearchParams }) {
  const request = requestOf(query);
  const { answer, problem } = useAnswer<SearchOutput>(
    request === undefined
      ? undefined
      : `/api/search?${new URLSearchParams({ request }).toString()}`,
  );
  const chosen = answer?.hits.find(({ id }) => id === query.get('hit')) ?? answer?.hits[0];
  return (
    <>
      <Title>Search</Title>
      <Form query={query} />
      <Problem text={problem} />
      {request !== undefined && answer === undefined && problem === undefined && <Loading />}
      {answer !== undefined && (
        <div class="beside">
          <Hits query={query} answer={answer} chosen={chosen} />
          {chosen !== undefined && <Hit hit={chosen} />}
        </div>
      )}
    </>
  );
}

function Form({ query }: { readonly query: URLSearchParams }) {
  const value = (name: string): string => query.get(name) ?? '';
  const filtered = [...TEXTS, ...CHOICES].some(([name]) => query.has(name));
  return (
    <form
      key={query.toString()}
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const given = [...new FormData(event.currentTarget)].map(
          ([name, text]) => [name, typeof text === 'string' ? text.trim() : ''] as const,
        );
        const fields = Object.fromEntries(given);
        // A text is another question than the neighbours of a vector.
        const like = fields['query'] === '' ? query.get('like') : null;
        location.hash = placeOf('search', { ...fields, like });
      }}
    >
      <p class="line">
        <input
          name="query"
          type="search"
          class="question"
          aria-label="What to look for"
          placeholder={query.has('like') ? 'the neighbours of a vector; or a text' : 'oat milk'}
          defaultValue={value('query')}
        />
        <select name="entity" aria-label="Among" defaultValue={value('entity')}>
          {['lines', 'words'].map((one) => (
            <option key={one} value={one} selected={value('entity') === one}>
              {one}
            </option>
          ))}
        </select>
        <button type="submit">Search</button>
      </p>
      <details open={filtered}>
        <summary>Filters</summary>
        <div class="filters">
          {TEXTS.map(([name, title]) => (
            <label key={name}>
              {title}
              <input name={name} defaultValue={value(name)} />
            </label>
          ))}
          {CHOICES.map(([name, title, choices]) => (
            <label key={name}>
              {title}
              <select name={name}>
                {choices.map((one) => (
                  <option key={one} value={one} selected={value(name) === one}>
                    {one === '' ? '–' : one === 'true' ? 'yes' : one}
                  </option>
                ))}
              </select>
            </label>
          ))}
        </div>
      </details>
    </form>
  );
}

function Hits({
  query,
  answer,
  chosen,
}: {
  readonly query: URLSearchParams;
  readonly answer: SearchOutput;
  readonly chosen: SearchHit | undefined;
}) {
  const { hits, entity, store, embedded, nearest_merchants: merchants } = answer;
  const asked = Object.fromEntries([...query].filter(([name]) => name !== 'hit'));
  return (
    <section class="found">
      <p class="quiet" role="status">
        {hits.length === 0
          ? `Nothing in ${store} is as asked.`
          : `${hits.length} ${entity} of ${store}, nearest first.`}
        {embedded.prompt_tokens > 0 ? ` OpenAI read ${embedded.prompt_tokens} tokens.` : ''}
      </p>
      {merchants !== undefined && merchants.length > 0 && (
        <p>
          The nearest are of{' '}
          {merchants.map((merchant) => (
            <a key={merchant} class="field" href={placeOf('search', { ...asked, merchant })}>
              {merchant}
            </a>
          ))}
        </p>
      )}
      <ol class="hits">
        {hits.map((hit) => (
          <li key={hit.id} class={hit === chosen ? 'chosen' : ''}>
            <a
              href={placeOf('search', { ...asked, hit: hit.id })}
              aria-current={hit === chosen ? 'true' : undefined}
            >
              <span class="score">{hit.score?.toFixed(2)}</span> <span>{hit.text}</span>
            </a>
            <div class="quiet">
              {[hit.merchant_name, ...(hit.validated_labels ?? [])].filter(Boolean).join(' · ')}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** The receipt of a hit, with the hit in a frame. */
function Hit({ hit }: { readonly hit: SearchHit }) {
  const { image_id, receipt_id } = hit;
  const search = new URLSearchParams({ image_id, receipt_id: String(receipt_id) });
  const asked = useAnswer<DrawnReceipt>(`/api/receipt?${search.toString()}`);
  const entity = hit.word_id === undefined ? 'lines' : 'words';
  return (
    <section class="shown">
      <p class="line">
        <a href={placeOf('receipt', { image_id, receipt_id, id: hit.id })}>Its receipt</a>
        <a href={placeOf('search', { like: hit.id, entity })}>More like this</a>
        <a href={placeOf('search', { like: hit.id, entity, exclude_receipt: 'self' })}>
          … of other receipts
        </a>
      </p>
      <Answered {...asked}>
        {(answer) => (
          <Drawing
            receipt={answer}
            chosen={hit.id}
            colour="status"
            placeOfId={(id) => placeOf('receipt', { image_id, receipt_id, id })}
          />
        )}
      </Answered>
    </section>
  );
}
