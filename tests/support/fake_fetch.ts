interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** What one request is answered: JSON, a status with a text, or a network error. */
export type Answer =
  | { readonly json: unknown; readonly status?: number }
  | { readonly status: number }
  | { readonly error: Error };

export interface FakeFetch {
  readonly fetch: typeof globalThis.fetch;
  readonly requests: RecordedRequest[];
}

/** A fetch that gives these answers one after the other; one request more than there are answers fails the test. */
export function fakeFetch(...answers: readonly Answer[]): FakeFetch {
  const requests: RecordedRequest[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const answer = answers[requests.length];
    requests.push({
      method: request.method,
      url: request.url,
      headers: request.headers,
      body: request.body === null ? undefined : await request.json(),
    });
    if (answer === undefined) throw new Error(`an unexpected request: ${request.url}`);
    if ('error' in answer) throw answer.error;
    if ('json' in answer) return Response.json(answer.json, { status: answer.status ?? 200 });
    return new Response('no', { status: answer.status });
  };
  return { fetch, requests };
}
