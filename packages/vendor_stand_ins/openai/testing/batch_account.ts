import { serve } from 'embedded-aws/http/server';
import OpenAI, { toFile } from 'openai';
import type { Batch } from 'openai/resources/batches';
import type { BatchOptions } from '../batches/batch_options.ts';
import { OpenAIStandIn } from '../openai_stand_in.ts';

/** A line of an output or error file. */
export interface ResultRow {
  readonly id: string;
  readonly custom_id: string;
  readonly response: {
    readonly status_code: number;
    readonly request_id: string;
    readonly body: {
      readonly error?: { readonly message: string; readonly type: string };
      readonly data?: readonly { readonly embedding: string | readonly (number | null)[] }[];
    };
  } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** A stand-in with OpenAI's own client before it. */
export interface BatchAccount {
  readonly stand: OpenAIStandIn;
  readonly client: OpenAI;
  readonly close: () => Promise<void>;
  /** Uploads a file with these lines. @returns its id. */
  readonly upload: (lines: readonly string[]) => Promise<string>;
  /** Uploads requests with these custom ids and creates a batch of them. */
  readonly submit: (
    customIds: readonly string[],
    metadata?: Record<string, string>,
  ) => Promise<Batch>;
  /** The content of a file, "" for an id that is missing. */
  readonly read: (fileId: string | null | undefined) => Promise<string>;
  readonly rowsOf: (fileId: string | null | undefined) => Promise<ResultRow[]>;
}

export async function startAccount(batches: BatchOptions = {}): Promise<BatchAccount> {
  const stand = new OpenAIStandIn({ latencyMs: 0, batches });
  const server = await serve(stand.handle, 0);
  const client = new OpenAI({
    apiKey: 'sk-test',
    baseURL: `${server.url}/v1`,
    maxRetries: 0,
  });
  const upload = async (lines: readonly string[]): Promise<string> => {
    const file = await toFile(Buffer.from(lines.map((line) => `${line}\n`).join('')), 'in.jsonl');
    return (await client.files.create({ file, purpose: 'batch' })).id;
  };
  const read: BatchAccount['read'] = async (fileId) =>
    fileId == null ? '' : await (await client.files.content(fileId)).text();
  return {
    stand,
    client,
    close: () => server.close(),
    upload,
    submit: async (customIds, metadata) =>
      await client.batches.create({
        input_file_id: await upload(customIds.map((customId) => requestLine(customId))),
        endpoint: '/v1/embeddings',
        completion_window: '24h',
        ...(metadata && { metadata }),
      }),
    read,
    rowsOf: async (fileId) =>
      (await read(fileId))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as ResultRow),
  };
}

export const model = 'text-embedding-3-small';

/** A request for the text `text of {customId}`, four dimensions, in base64. */
export function requestLine(
  customId: string,
  body: Readonly<Record<string, unknown>> = {},
  line: Readonly<Record<string, unknown>> = {},
): string {
  return JSON.stringify({
    custom_id: customId,
    method: 'POST',
    url: '/v1/embeddings',
    body: {
      model,
      input: `text of ${customId}`,
      encoding_format: 'base64',
      dimensions: 4,
      ...body,
    },
    ...line,
  });
}
