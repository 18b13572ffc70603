import { render } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import type { StackView } from '../api.ts';
import { useAnswer } from './client.tsx';
import { ItemPage } from './item.tsx';
import { Problem } from './parts.tsx';
import { ReceiptPage } from './receipt.tsx';
import { Receipts } from './receipts.tsx';
import { RunPage } from './run.tsx';
import { Runs } from './runs.tsx';
import { Search } from './search.tsx';
import { Stack } from './stack.tsx';

const TABS = [
  ['runs', 'Runs', ['run', 'item']],
  ['receipts', 'Receipts', ['receipt']],
  ['search', 'Search', []],
  ['stack', 'Stack', []],
] as const;

interface Place {
  readonly page: string;
  readonly query: URLSearchParams;
}

function currentPlace(): Place {
  const [page = '', query = ''] = location.hash.replace(/^#\//, '').split('?', 2);
  return { page: page === '' ? 'runs' : page, query: new URLSearchParams(query) };
}

function App() {
  const [place, setPlace] = useState(currentPlace);
  const { answer: stack, problem } = useAnswer<StackView>('/api/stack');
  // Before anything else can happen: an effect after the first frame is deaf to an address that changes before it.
  useLayoutEffect(() => {
    const move = (): void => {
      setPlace(currentPlace());
    };
    addEventListener('hashchange', move);
    return () => {
      removeEventListener('hashchange', move);
    };
  }, []);
  useEffect(() => {
    document.title = `${place.page} · receipts`;
    // Not where one goes from word to word, or from hit to hit.
    if (!place.query.has('id') && !place.query.has('hit')) {
      document.querySelector<HTMLElement>('#title')?.focus({ preventScroll: false });
    }
  }, [place]);
  return (
    <>
      <header>
        <a class="skip" href="#title" onClick={skip}>
          To the content
        </a>
        <strong>receipts</strong>
        <nav aria-label="Pages">
          {TABS.map(([page, title, within]) => {
            const isCurrent =
              page === place.page || (within as readonly string[]).includes(place.page);
            return (
              <a key={page} href={`#/${page}`} aria-current={isCurrent ? 'page' : undefined}>
                {title}
              </a>
            );
          })}
        </nav>
        <span class="quiet stack-name">
          {stack === undefined ? '' : (stack.stack ?? (stack.is_local ? 'local' : ''))}
        </span>
      </header>
      <main>
        <Problem text={problem} />
        <Page place={place} stack={stack} />
      </main>
    </>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#title')?.focus();
}

function Page({ place, stack }: { readonly place: Place; readonly stack: StackView | undefined }) {
  const { page, query } = place;
  switch (page) {
    case 'runs':
      return <Runs />;
    case 'run':
      return <RunPage key={query.toString()} query={query} />;
    case 'item':
      return <ItemPage key={query.toString()} query={query} />;
    case 'receipts':
      return <Receipts query={query} />;
    case 'receipt':
      return <ReceiptPage query={query} />;
    case 'search':
      return <Search query={query} />;
    case 'stack':
      return stack === undefined ? null : <Stack stack={stack} />;
    default:
      return <p>There is no such page.</p>;
  }
}

const root = document.querySelector('#app');
if (root !== null) render(<App />, root);
