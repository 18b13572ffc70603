import { S3VectorsClient } from '@aws-sdk/client-s3vectors';
import { type RunningServer, serve } from 'embedded-aws/http/server';
import { S3VectorsStandIn } from 'embedded-aws/s3_vectors/s3_vectors_stand_in';
import { ofTheLayer, WITHOUT_RETRIES } from 'receipt-embedding/aws_clients';
import { ChromaStore } from 'receipt-embedding/stores/chroma/chroma_store';
import { createPineconeStore } from 'receipt-embedding/stores/pinecone/pinecone_store';
import { indexName, NON_FILTERABLE_KEYS } from 'receipt-embedding/stores/s3_vectors/declaration';
import { S3VectorsStore } from 'receipt-embedding/stores/s3_vectors/s3_vectors_store';
import type { StoreName, VectorStore } from 'receipt-embedding/stores/vector_store';
import { ChromaStandIn } from 'vendor-stand-ins/chroma/chroma_stand_in';
import { PineconeStandIn } from 'vendor-stand-ins/pinecone/pinecone_stand_in';

/** A store in front of a stand-in. */
export interface TestStore {
  readonly store: VectorStore;
  /** How many milliseconds the store wanted to wait before each further try: nothing waits. */
  readonly waits: number[];
  /** Each request that arrived, by its operation's name in the vendor's API. */
  readonly requests: () => readonly string[];
  readonly close: () => Promise<void>;
}

const API_KEY = 'pc-secret-123';
const TOKEN = 'ck-secret-123';
const BUCKET = 'receipts-1a2b3c4';

type Opened = Pick<TestStore, 'store' | 'requests'> & { readonly server: RunningServer };
type Opener = (dimensions: number, waits: number[]) => Promise<Opened>;

const OPENERS: Readonly<Record<StoreName, Opener>> = {
  s3_vectors: async (dimensions, waits) => {
    const model = { model: 'text-embedding-3-small', dimensions };
    const standIn = new S3VectorsStandIn({
      region: 'us-east-1',
      accountId: '000000000000',
      clock: () => new Date(),
    });
    standIn.createVectorBucket(BUCKET);
    for (const collection of ['lines', 'words'] as const) {
      standIn.createIndex({
        vectorBucketName: BUCKET,
        indexName: indexName(collection, model),
        dimension: dimensions,
        distanceMetric: 'cosine',
        nonFilterableMetadataKeys: [...NON_FILTERABLE_KEYS],
      });
    }
    const requests: string[] = [];
    const server = await serve((request) => {
      requests.push(request.path.slice(1));
      return standIn.handle(request);
    }, 0);
    const client = ofTheLayer(
      new S3VectorsClient({
        ...WITHOUT_RETRIES,
        endpoint: server.url,
        region: 'us-east-1',
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      }),
    );
    const store = new S3VectorsStore({
      client,
      bucketArn: `arn:aws:s3vectors:us-east-1:000000000000:bucket/${BUCKET}`,
      model,
      ports: portsOf(waits),
    });
    return { store, server, requests: () => requests };
  },
  pinecone: async (dimensions, waits) => {
    const standIn = new PineconeStandIn({
      indexName: 'receipts',
      dimension: dimensions,
      apiKey: API_KEY,
    });
    const requests: string[] = [];
    const server = await serve((request) => {
      requests.push(request.path.split('/').at(-1) ?? '');
      return standIn.handle(request);
    }, 0);
    const store = createPineconeStore({
      apiKey: API_KEY,
      indexName: 'receipts',
      host: server.url,
      ports: portsOf(waits),
    });
    return { store, server, requests: () => requests };
  },
  chroma: async (_, waits) => {
    const standIn = new ChromaStandIn({ token: TOKEN });
    const server = await serve(standIn.handle, 0);
    const store = new ChromaStore({ endpoint: server.url, token: TOKEN, ports: portsOf(waits) });
    const requests = () => standIn.requests.map(({ operation }) => operation);
    return { store, server, requests };
  },
};

function portsOf(waits: number[]) {
  const sleep = (ms: number) => Promise.resolve(waits.push(ms));
  return { sleep, random: () => 1 };
}

export const STORE_NAMES = Object.keys(OPENERS) as readonly StoreName[];

/** Opens a store of its own in front of an empty stand-in. */
export async function openTestStore(name: StoreName, dimensions: number): Promise<TestStore> {
  const waits: number[] = [];
  const { store, server, requests } = await OPENERS[name](dimensions, waits);
  return { store, waits, requests, close: () => server.close() };
}
