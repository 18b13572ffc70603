import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type RunningServer, serve } from 'embedded-aws/http/server';
import type { ServiceResponse } from 'embedded-aws/http/service';
import { translateErrors } from 'receipt-embedding/aws_clients';
import { requestLine } from 'receipt-embedding/batches/batch_files';
import { readResultRow } from 'receipt-embedding/batches/download_results';
import { getOpenaiBatchStatus } from 'receipt-embedding/batches/openai_batches';
import { OpenAIEmbedder } from 'receipt-embedding/embeddings/openai';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import { ChromaNeighbours } from 'receipt-embedding/merchants/chroma_neighbours';
import { GooglePlaces } from 'receipt-embedding/merchants/google_places';
import { createPineconeStore } from 'receipt-embedding/stores/pinecone/pinecone_store';
import { AWS_ANSWERS } from 'receipt-embedding/vendor_answers/aws';
import { CHROMA_ANSWERS, NO_COLLECTION } from 'receipt-embedding/vendor_answers/chroma';
import { GOOGLE_ANSWERS } from 'receipt-embedding/vendor_answers/google';
import { OPENAI_ANSWERS } from 'receipt-embedding/vendor_answers/openai';
import { PINECONE_ANSWERS } from 'receipt-embedding/vendor_answers/pinecone';
import type { Verdict, VendorRow, VendorTable } from 'receipt-embedding/vendor_answers/verdict';
import { chromaRefusal, googleRefusal } from 'vendor-stand-ins/refusals';
import { PineconeStandIn } from 'vendor-stand-ins/pinecone/pinecone_stand_in';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plannedWords } from '../support/batch_factory.ts';
import { OpenAIAccount } from '../support/openai_account.ts';
import { RecordingEmbedder } from '../support/embedders.ts';
import { aLine, RECEIPT } from '../support/receipt_factory.ts';
import { ReceiptTable } from '../support/receipt_table.ts';
import { RecordingLogger } from '../support/recorders.ts';
import { rejection } from '../support/rejection.ts';

/** What a message, or a parameter, that a row asks for may say; each with a text that no one may see. */
const SAID = [
  'Request too large for text-embedding-3-small on tokens per min (TPM): Limit 40000, Requested 90000.',
  'Billing hard limit has been reached',
  'This model does not support specifying dimensions.',
  'Unrecognized request argument supplied: dimensions',
  "The model of this request does not match the model of the batch's other requests.",
  "This model's maximum context length is 8192 tokens, however you requested 9000 tokens.",
  'Requested 301000 tokens, max 300000 tokens per request',
  "Invalid 'input': input cannot be an empty string.",
  "'$.input' is invalid. Please check the API reference.",
  'No such File object: file-abc123',
  'You exceeded your current quota, please check your plan and billing details.',
  "You've reached your write unit limit for the current month.",
  'Vector dimension 8 does not match the dimension of the index 1536',
  'Request size 3MB exceeds the maximum supported size of 2MB',
  'Metadata size is 50000 bytes, which exceeds the limit of 40960 bytes per vector',
  'Collection expecting embedding with dimension of 3, got 4',
  'Too many requests per minute',
  'Quota exceeded: number of records',
  "Quota exceeded: 'Document size (bytes)' exceeded quota limit for action 'Upsert': current usage of 9 exceeds limit of 5",
  "Invalid record for key 'a': Filterable metadata must have at most 2048 bytes",
  "Invalid record for key 'a': vector must have length 5, but has length 1",
  'Request body exceeds max allowed size',
  'Database [receipts] does not exist',
];
const PARAMETERS = ['input_file_id', 'dimensions', 'model', 'input'];

/** An answer that means this row and no other one. */
interface Example {
  readonly row: VendorRow;
  readonly status: number;
  readonly code: string | undefined;
  readonly type: string | undefined;
  readonly param: string | undefined;
  readonly message: string;
}

/** @param status of a row that names none: the trusted fields decide over it. */
function examples(table: VendorTable, status = 429): Example[] {
  const rows: readonly VendorRow[] = table;
  return rows.map((row, at) => {
    const last = at === rows.length - 1;
    const first = typeof row.status === 'object' ? row.status[0] : row.status;
    // The ends of a range have rows of their own.
    const named = first === 300 ? 418 : first;
    const said = SAID.find((text) => row.says?.test(text));
    if (row.says !== undefined && said === undefined)
      throw new Error(`nothing says ${row.says.source}`);
    return {
      row,
      status: last ? 503 : (named ?? status),
      code: row.code,
      type: row.type,
      param: PARAMETERS.find((name) => row.param?.test(name)),
      message: `${said ?? 'no'}: WHOLE MILK`,
    };
  });
}

const titled = (list: readonly Example[]): [string, Example][] =>
  list.map((example) => {
    const { row, status, code, type, param } = example;
    const says = row.says === undefined ? undefined : `says ${row.says.source}`;
    return [
      [status, code, type, param, says].filter((part) => part !== undefined).join(' '),
      example,
    ];
  });

function expectVerdict(error: Error, { error: name, fault, reason }: Verdict): void {
  expect(error).toMatchObject({ name, fault });
  expect(error.message).toContain(reason);
  expect(error.message).not.toContain('MILK');
  expect(error.cause).toBeUndefined();
}

const model = { model: 'text-embedding-3-small', dimensions: 8 };

describe('every row of OpenAI’s table', () => {
  let account: OpenAIAccount;
  beforeAll(async () => {
    account = await OpenAIAccount.start();
  });
  afterAll(() => account.close());

  it.each(titled(examples(OPENAI_ANSWERS)))(
    'is what a request fails with, retried only where waiting helps: %s',
    async (_, { row, status, code = null, type, param, message }) => {
      const before = account.stand.requests.length;
      const remove = account.stand.fault({
        ...{ on: 'embeddings.create', status, code, message, retryAfter: 0 },
        type: type ?? 'invalid_request_error',
        ...(param === undefined ? {} : { param }),
      });

      const error = await rejection(new OpenAIEmbedder(account.client, model).embed(['MILK']));
      remove();

      expectVerdict(error, row);
      const retried =
        row.wait &&
        row.split === undefined &&
        (status === 408 || status === 409 || status === 429 || status >= 500);
      expect(account.stand.requests.length - before).toBe(retried ? 3 : 1);
    },
  );

  it.each(titled(examples(OPENAI_ANSWERS)))(
    'is FAILED in a batch only where the input is to blame: %s',
    async (
      _,
      { row, status, code = null, type = 'invalid_request_error', param = null, message },
    ) => {
      const [entity] = plannedWords(1);
      if (entity === undefined) throw new Error('expected a word');
      const batch = await account.run([requestLine(entity, model)], {
        otherwise: { status, code, type, param, message },
      });
      const content = await account.client.files.content(batch.error_file_id ?? '');

      const read = readResultRow((await content.text()).trim(), 8);

      expect(read).toStrictEqual({
        kind: { input: 'refused', unknown: 'unexplained' }[row.fault as string] ?? 'lost',
        custom_id: entity.custom_id,
        reason: expect.stringContaining(row.reason) as string,
      });
      expect(JSON.stringify(read)).not.toContain('WHOLE');
    },
  );

  it.each(titled(examples(OPENAI_ANSWERS).filter(({ row }) => row.code !== undefined)))(
    'is why a batch has failed: %s',
    async (_, { row, code = '', message }) => {
      const lines = plannedWords(1).map((entity) => requestLine(entity, model));
      const { id } = await account.run(lines, {
        end: 'failed',
        errors: [{ code, message, line: 1 }],
      });

      const { status, reason } = (await getOpenaiBatchStatus(account.client, id)) ?? {};

      expect([status, reason]).toStrictEqual([
        'FAILED',
        `${row.error} (${code}, line 1): ${row.reason}`,
      ]);
    },
  );
});

describe('every row of Pinecone’s table', () => {
  const stand = new PineconeStandIn({ indexName: 'receipts', dimension: 8 });
  let server: RunningServer;
  beforeAll(async () => {
    server = await serve(stand.handle, 0);
  });
  afterAll(() => server.close());

  it.each(titled(examples(PINECONE_ANSWERS)))(
    'is what an upsert fails with, or a record is refused for, retried only where waiting helps: %s',
    async (_, { row, status, code, message }) => {
      const before = stand.upserts.length;
      const remove = stand.fault({
        ...{ on: 'upsert', status, message, retryAfter: 0 },
        ...(code === undefined ? {} : { code }),
      });
      const store = createPineconeStore({
        apiKey: 'pc-1',
        indexName: 'receipts',
        host: server.url,
        ports: { sleep: () => Promise.resolve() },
      });
      const [item] = embeddingItems(
        { lines: [aLine()], words: [], labels: [] },
        'X',
        'batch',
      ).lines;
      if (item === undefined) throw new Error('expected a line');
      const { id, metadata } = item;

      const upserted = store.upsert('lines', [
        { id, metadata, vector: new Float32Array(8).fill(1) },
      ]);

      try {
        if (row.fault === 'input' || row.split === true) {
          const reason = expect.stringMatching(
            new RegExp(`^Pinecone answered ${status}.*: ${row.reason}$`),
          ) as string;
          expect(await upserted).toStrictEqual({ stored: 0, refused: [{ id, reason }] });
        } else {
          expectVerdict(await rejection(upserted), row);
        }
      } finally {
        remove();
      }

      const tries = { RateLimited: 6, UpstreamUnavailable: 3 }[row.error as string] ?? 1;
      expect(stand.upserts.length - before).toBe(tries);
    },
  );
});

describe('every row of a table of', () => {
  let server: RunningServer;
  let answer: ServiceResponse;
  let table: ReceiptTable;
  beforeAll(async () => {
    server = await serve(() => Promise.resolve(answer), 0);
    table = await ReceiptTable.start();
  });
  afterAll(async () => {
    await server.close();
    await table.close();
  });

  const evidence = {
    ...RECEIPT,
    phones: ['5551234567'],
    addresses: [],
    lines: embeddingItems({ lines: [aLine()], words: [], labels: [] }, 'X', 'batch').lines,
  };

  it.each(titled(examples(GOOGLE_ANSWERS, 400)))(
    'Google’s is what a search fails with: %s',
    async (_, { row, status, code, type, message }) => {
      answer = googleRefusal({ httpStatus: status, reason: code, status: type, message });
      const places = new GooglePlaces('AIza-1', {
        table,
        clock: () => new Date(),
        logger: new RecordingLogger(),
        fetch: (_url, init) => fetch(server.url, init),
      });

      expectVerdict(await rejection(places.findMerchant(evidence)), row);
    },
  );

  it.each(titled(examples(CHROMA_ANSWERS, 400)))(
    'Chroma’s is what a look-up fails with, except a missing collection: %s',
    async (_, { row, status, code, message }) => {
      answer = chromaRefusal({ httpStatus: status, error: code, message });
      const found = new ChromaNeighbours(
        { endpoint: server.url },
        new RecordingLogger(),
      ).findMerchant(evidence, new RecordingEmbedder());

      if (NO_COLLECTION.has(code ?? '')) expect(await found).toBeUndefined();
      else expectVerdict(await rejection(found), row);
    },
  );

  it.each(
    titled(examples(AWS_ANSWERS, 400)).filter(
      ([, { code }]) => code !== 'CredentialsProviderError',
    ),
  )(
    'AWS’s is what a request to DynamoDB or S3 fails with: %s',
    async (_, { row, status, code = 'Unknown', message }) => {
      const settings = {
        region: 'us-east-1',
        endpoint: server.url,
        maxAttempts: 1,
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      };
      const dynamodb = translateErrors(new DynamoDBClient(settings));
      const s3 = translateErrors(new S3Client({ ...settings, forcePathStyle: true }));

      answer = {
        status,
        headers: { 'content-type': 'application/x-amz-json-1.0' },
        body: JSON.stringify({ __type: `com.amazonaws#${code}`, message }),
      };
      const row1 = await rejection(
        dynamodb.send(new GetItemCommand({ TableName: 't', Key: { PK: { S: 'a' } } })),
      );
      answer = {
        status,
        headers: { 'content-type': 'application/xml' },
        body: `<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
      };
      const row2 = await rejection(s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' })));

      expectVerdict(row1, row);
      expectVerdict(row2, row);
    },
  );
});
