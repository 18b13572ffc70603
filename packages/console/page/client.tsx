import { useEffect, useState } from 'preact/hooks';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';

/** What the server answered, or what is wrong; neither while it is asked. */
export interface Asked<Answer> {
  readonly answer?: Answer;
  readonly problem?: string;
}

/** @throws Error with the server's words. */
async function ask<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  const response = await fetch(path, signal === undefined ? {} : { signal });
  if (response.status === 401) throw new Error((await response.text()).trim());
  const body = (await response.json()) as { readonly problem?: string };
  if (!response.ok) throw new Error(body.problem ?? `The server answered ${response.status}.`);
  return body as Answer;
}

/** Asks when the path changes; undefined asks nothing. What an earlier path answers late is of no interest. */
export function useAnswer<Answer>(path: string | undefined): Asked<Answer> {
  const [asked, setAsked] = useState<Asked<Answer> & { readonly path?: string }>({});
  useEffect(() => {
    if (path === undefined) return;
    const gone = new AbortController();
    ask<Answer>(path, gone.signal).then(
      (answer) => {
        setAsked({ answer, path });
      },
      (error: unknown) => {
        if (!gone.signal.aborted) setAsked({ problem: wordsOf(error), path });
      },
    );
    return () => {
      gone.abort();
    };
  }, [path]);
  return asked.path === path ? asked : {};
}

function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /failed to fetch|networkerror/i.test(message)
    ? 'The server is gone. Is `receipts console` still running?'
    : message;
}

/**
 * Hears of a stream's events by their names, until the path changes or the stream ends. A page that nobody looks at hears nothing: a browser
 * has six connections to a server, and what a stream asks of AWS counts against the account's quotas. It begins anew when it is looked at.
 */
export function useStream(
  path: string,
  hear: Readonly<Record<string, (data: unknown) => void>>,
): string | undefined {
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    setProblem(undefined);
    let source: EventSource | undefined;
    let isOver = false;
    const close = (): void => {
      source?.close();
      source = undefined;
    };
    const end = (): void => {
      isOver = true;
      close();
    };
    const open = (): void => {
      source = new EventSource(path);
      for (const [name, heard] of Object.entries(hear)) {
        source.addEventListener(name, (event) => {
          setProblem(undefined);
          heard(dataOf(event));
        });
      }
      source.addEventListener('end', end);
      source.addEventListener('problem', (event) => {
        end();
        setProblem(dataOf(event) as string);
      });
      source.onerror = () => {
        setProblem('The server is gone. Is `receipts console` still running?');
      };
    };
    const look = (): void => {
      if (document.visibilityState === 'hidden') close();
      else if (source === undefined && !isOver) open();
    };
    look();
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      close();
    };
  }, [path]);
  return problem;
}

function dataOf(event: Event): unknown {
  return JSON.parse((event as MessageEvent<string>).data);
}

/** A place in the page: `#/receipt?image_id=…`. */
export function placeOf(page: string, query: Readonly<Record<string, string | number | null>>) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== '');
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return given.length === 0 ? `#/${page}` : `#/${page}?${search.toString()}`;
}

/** Which receipt it is of, for `placeOf`. */
export function identityOf({ image_id, receipt_id }: ReceiptIdentity) {
  return { image_id, receipt_id };
}
