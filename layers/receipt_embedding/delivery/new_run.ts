import { isSameModel, type RememberingEmbedder } from '../embeddings/embedder.ts';
import type { EmbeddingItems, LineItem, WordItem } from '../embeddings/embedding_items.ts';
import { embedEach } from '../embeddings/refused_inputs.ts';
import {
  type EmbeddedReceipt,
  type LoggedRun,
  namedRefusal,
  REASON_CHARACTERS,
  REFUSED_NAMED,
  type RefusedEntity,
} from '../entities/embedded_receipt.ts';
import { type ReceiptIdentity, toTimestamp } from '../entities/keys.ts';
import type { LoggedContent, LoggedVector, RefusedInput, VectorLog } from '../log/vector_log.ts';
import { mapSettled } from '../settled_map.ts';
import type { VectorCollection, VectorMetadata } from '../stores/vector_store.ts';
import type { HeldVectors } from './held_vectors.ts';
import {
  COLLECTIONS,
  CONTENT_FORMAT,
  inputHash,
  isSame,
  type ReceiptContent,
  runId,
} from './receipt_content.ts';

/** What a run is made of. */
export interface RunRequest {
  readonly receipt: ReceiptIdentity;
  readonly record: EmbeddedReceipt;
  /** With the merchant that the receipt itself names: what the run's id and digests are of. */
  readonly content: ReceiptContent;
  /** The same with the merchant that was looked up: what is stored. */
  readonly items: EmbeddingItems;
  readonly held: HeldVectors;
  /** The stack's stores, by identity. */
  readonly stores: readonly string[];
  /** Embed everything anew. */
  readonly forcedBy: string | undefined;
}

export interface NewRun {
  readonly run: LoggedRun;
  /** All that is refused; the run names the first of them. */
  readonly refused: readonly RefusedEntity[];
  readonly vectors: Readonly<Record<VectorCollection, readonly LoggedVector[]>>;
}

interface NewRunPorts {
  readonly log: Pick<VectorLog, 'read' | 'write'>;
  readonly embedder: RememberingEmbedder;
  readonly writer: string;
  readonly now: Date;
  readonly onRun: (runId: string) => void;
}

/**
 * Makes a run of a whole receipt: vectors of unchanged inputs come from the log, the rest is bought, and both deltas are written. A delta of
 * this run that is there already, left behind by a try that died before it was recorded, is read and not bought again.
 *
 * An input that was refused is not tried again while its row says FAILED, unless the run is forced.
 *
 * @throws what the embedder throws that is no input's own fault; what S3 fails with.
 */
export async function makeRun(request: RunRequest, ports: NewRunPorts): Promise<NewRun> {
  const { receipt, record, content, forcedBy } = request;
  const { model, dimensions } = ports.embedder;
  const run_id = runId({
    receipt,
    model: { model, dimensions },
    sequence: record.sequence,
    digests: content.digests,
    forced_by: forcedBy ?? null,
  });
  ports.onRun(run_id);
  const found = {
    lines: findEach(request, 'lines', ports),
    words: findEach(request, 'words', ports),
  };
  const before = await leftBehind(run_id, found, ports);
  const inputs = COLLECTIONS.flatMap((collection) =>
    before[collection] === undefined ? found[collection].wanted.map(({ input }) => input) : [],
  );
  const bought = await embedEach(ports.embedder, inputs);
  const vectorOf = new Map(inputs.map((input, at) => [input, bought.vectors[at]]));
  const written = await mapSettled(
    COLLECTIONS,
    async (collection): Promise<LoggedContent> => {
      const there = before[collection];
      if (there !== undefined) return there;
      const { known, wanted, refused } = found[collection];
      const vectors = [...known];
      const refusals: RefusedInput[] = [...refused];
      for (const item of wanted) {
        const vector = vectorOf.get(item.input);
        const hash = inputHash(item.input);
        if (vector === undefined) {
          const reason = (bought.refusals.get(item.input) ?? '').slice(0, REASON_CHARACTERS);
          refusals.push({ id: item.id, input_hash: hash, reason });
        } else {
          vectors.push({ id: item.id, vector, metadata: item.metadata, input_hash: hash });
        }
      }
      const inOrder = vectors.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const made = { vectors: inOrder, refused: refusals };
      if (await ports.log.write({ ...receipt, run_id }, collection, dimensions, made)) return made;
      // Another execution has written the same run first: that is what the log has.
      return (await ports.log.read(run_id, collection)) ?? made;
    },
    { atOnce: COLLECTIONS.length },
  );
  const [lines = EMPTY, words = EMPTY] = written;
  const refused: RefusedEntity[] = [
    ...[...lines.refused, ...words.refused].map((one) => namedRefusal('openai', one)),
    ...stillRefused(request, [...lines.vectors, ...words.vectors]),
  ];
  return {
    run: {
      run_id,
      path: 'realtime',
      format: CONTENT_FORMAT,
      model,
      dimensions,
      whole: true,
      lines: { digest: content.digests.lines, vectors: lines.vectors.length },
      words: { digest: content.digests.words, vectors: words.vectors.length },
      refused: refused.slice(0, REFUSED_NAMED),
      refused_count: refused.length,
      forced_by: forcedBy ?? null,
      written_by: ports.writer,
      created_at: toTimestamp(ports.now),
    },
    refused,
    vectors: { lines: lines.vectors, words: words.vectors },
  };
}

/** Deltas of a run that is recorded nowhere. Nobody looks for them where nothing is to be bought. */
async function leftBehind(
  run_id: string,
  found: Readonly<Record<VectorCollection, Found>>,
  { log }: NewRunPorts,
): Promise<Partial<Record<VectorCollection, LoggedContent | undefined>>> {
  if (found.lines.wanted.length + found.words.wanted.length === 0) return {};
  const [lines, words] = await mapSettled(COLLECTIONS, (name) => log.read(run_id, name), {
    atOnce: COLLECTIONS.length,
  });
  return { lines, words };
}

const EMPTY: LoggedContent = { vectors: [], refused: [] };

interface Found {
  /** Vectors of unchanged inputs, with the metadata that they have now. */
  readonly known: readonly LoggedVector[];
  /** To be bought. */
  readonly wanted: readonly (LineItem | WordItem)[];
  /** Refused before, and not tried again. */
  readonly refused: readonly RefusedInput[];
}

function findEach(
  { items, held, record, forcedBy }: RunRequest,
  collection: VectorCollection,
  { embedder }: NewRunPorts,
): Found {
  const known: LoggedVector[] = [];
  const wanted: (LineItem | WordItem)[] = [];
  const refused: RefusedInput[] = [];
  const told = new Map(
    record.runs
      .flatMap((run) => run.refused)
      .filter(({ by }) => by === 'openai')
      .map((one) => [one.id, one] as const),
  );
  for (const item of items[collection]) {
    const hash = inputHash(item.input);
    const vector = held[collection].get(item.id);
    const before = held.refused.get(item.id) ?? told.get(item.id);
    if (forcedBy !== undefined) {
      wanted.push(item);
    } else if (vector?.input_hash === hash && isSameModel(vector.run, embedder)) {
      const { source } = vector.metadata;
      const metadata = { ...item.metadata, source } as VectorMetadata;
      known.push({ id: item.id, vector: vector.vector, metadata, input_hash: hash });
    } else if (
      item.entity.embedding_status === 'FAILED' &&
      (before === undefined ? vector === undefined : (before.input_hash ?? hash) === hash)
    ) {
      // Nothing retries FAILED by itself, also where nobody knows why it is.
      const reason = before?.reason ?? 'it was FAILED before, and its text has not changed since';
      refused.push({ id: item.id, input_hash: hash, reason });
    } else {
      wanted.push(item);
    }
  }
  return { known, wanted, refused };
}

/** What the stack's stores refused, and have not been asked again since: the same vector with the same metadata. */
function stillRefused(
  { record, held, stores }: RunRequest,
  vectors: readonly LoggedVector[],
): RefusedEntity[] {
  const byStores = record.runs.flatMap(({ refused }) =>
    refused.filter(({ by }) => stores.includes(by)),
  );
  if (byStores.length === 0) return [];
  const now = new Map(vectors.map((vector) => [vector.id, vector]));
  return byStores.filter(({ id }) => {
    const vector = now.get(id);
    const before = held.lines.get(id) ?? held.words.get(id);
    return vector !== undefined && before !== undefined && isSame(before, vector);
  });
}
