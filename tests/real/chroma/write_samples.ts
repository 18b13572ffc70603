import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { DeltaRecord } from 'receipt-embedding/log/delta_database';
import { CHROMA_FLOAT_FIELDS } from 'receipt-embedding/stores/chroma_metadata';
import { createDelta } from 'receipt-embedding/log/write_delta';
import type { VectorCollection } from 'receipt-embedding/stores/vector_store';

const usage = `Usage: node tests/real/chroma/write_samples.ts FOLDER

Writes sample deltas for check_deltas.sh, keyed as in S3:
FOLDER/{lines|words}/delta/{sample}/delta.tar.gz, each with an expected.json beside it.
`;

interface Sample {
  /** Also the run's id. */
  readonly name: string;
  readonly collection: VectorCollection;
  readonly dimensions: number;
  readonly count: number;
}

const samples: readonly Sample[] = [
  { name: 'empty', collection: 'lines', dimensions: 1536, count: 0 },
  { name: 'empty', collection: 'words', dimensions: 1536, count: 0 },
  { name: 'one', collection: 'lines', dimensions: 1536, count: 1 },
  { name: 'usual', collection: 'lines', dimensions: 1536, count: 60 },
  { name: 'usual', collection: 'words', dimensions: 1536, count: 300 },
  { name: 'short_vectors', collection: 'lines', dimensions: 8, count: 12 },
  // More than Chroma's sync_threshold of 1,000: its index goes to disk while the queue is read.
  { name: 'long_receipt', collection: 'words', dimensions: 256, count: 2500 },
  // What a compactor reads one after the other.
  ...Array.from({ length: 10 }, (_, at) => ({
    name: `ten_runs_${at}`,
    collection: 'lines' as const,
    dimensions: 1536,
    count: at === 4 ? 0 : 10 + at,
  })),
];

// Texts that a wrong escape or a wrong encoding would change.
const texts = [
  'TOTAL 12.50',
  'Crème brûlée',
  '寿司 2×',
  'O\'Hara \\ "deli"',
  '🧾\t\u0001',
  '',
  '%_*',
];

/** Numbers in [0, 1) that are the same in every run (a linear congruential generator, Numerical Recipes). */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function unitVector(dimensions: number, next: () => number): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, () => next() - 0.5);
  const norm = Math.hypot(...vector);
  return vector.map((component) => component / norm);
}

function recordsOf({ collection, dimensions, count }: Sample): DeltaRecord[] {
  const next = numbersFrom(count + dimensions);
  const receipt = 'IMAGE#3f2b8c1e-5a4d-4c6b-9e7f-0a1b2c3d4e5f#RECEIPT#00001';
  return Array.from({ length: count }, (_, index) => {
    const line = Math.floor(index / 5) + 1;
    const text = texts[index % texts.length] ?? '';
    const lineId = collection === 'lines' ? index + 1 : line;
    const key = `${receipt}#LINE#${String(lineId).padStart(5, '0')}`;
    const common = {
      image_id: '3f2b8c1e-5a4d-4c6b-9e7f-0a1b2c3d4e5f',
      receipt_id: '1',
      line_id: lineId,
      text,
      x: index % 4 === 0 ? 1 : next(),
      y: -next() / 100,
      confidence: index % 3 === 0 ? 1 : next(),
      merchant_name: index % 2 === 0 ? '' : 'Café',
    };
    return collection === 'lines'
      ? {
          id: key,
          vector: unitVector(dimensions, next),
          document: text,
          metadata: { ...common, embedding_type: 'line', angle_degrees: -0.25, word_count: 3 },
        }
      : {
          id: `${key}#WORD#${String((index % 5) + 1).padStart(5, '0')}`,
          // Equal texts have equal vectors, as the same word twice on one receipt has.
          vector:
            index % 50 === 1
              ? unitVector(dimensions, numbersFrom(1))
              : unitVector(dimensions, next),
          document: text,
          metadata: {
            ...common,
            embedding_type: 'word',
            word_id: (index % 5) + 1,
            validated_labels: index % 5 === 0 ? ',GRAND_TOTAL,' : '',
          },
        };
  });
}

/** Writes the fields that are floats with a point, also where they are whole: Python tells the two apart by it. */
function asFloat(field: string, value: unknown): unknown {
  const { rawJSON } = JSON as typeof JSON & { readonly rawJSON: (text: string) => unknown };
  return CHROMA_FLOAT_FIELDS.has(field) && Number.isInteger(value)
    ? rawJSON(`${String(value)}.0`)
    : value;
}

async function write(root: string, sample: Sample): Promise<void> {
  const { collection, dimensions, name } = sample;
  const records = recordsOf(sample);
  const folder = join(root, collection, 'delta', name);
  await mkdir(folder, { recursive: true });
  const delta = await createDelta({
    collection,
    runId: name,
    dimensions,
    records,
    floatFields: CHROMA_FLOAT_FIELDS,
    temporaryFolder: tmpdir(),
  });
  await writeFile(join(folder, 'delta.tar.gz'), delta);
  const expected = records.map((record) => ({ ...record, vector: Array.from(record.vector) }));
  await writeFile(join(folder, 'expected.json'), JSON.stringify(expected, asFloat));
  process.stdout.write(`${folder}: ${records.length} records, ${delta.length} bytes\n`);
}

function options(): { positionals: string[]; values: { help: boolean } } {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { help: { type: 'boolean', default: false } },
    });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n`);
    return { positionals: [], values: { help: false } };
  }
}

const { positionals, values } = options();
const [folder, ...others] = positionals;
if (values.help) {
  process.stdout.write(usage);
} else if (folder === undefined || others.length > 0) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  for (const sample of samples) await write(folder, sample);
}
