import type { AwsFault } from 'embedded-aws/aws/faults';
import type { InvocationFault } from 'embedded-aws/lambda/invocations';
import { Random } from 'receipts-cli/synthetic_receipts/random';
import type { RowOutcome } from 'vendor-stand-ins/openai/batch_script';
import type { Fault, Operation } from 'vendor-stand-ins/openai/faults';
import type { FaultRule as PineconeFaultRule } from 'vendor-stand-ins/pinecone/pinecone_stand_in';
import { type ChaosReceipt, type Edit, planEdits, planReceipts } from './chaos_receipts.ts';

/** The keys that the local stack has. */
export const API_KEYS = ['sk-local-stand-in', 'pc-local-stand-in'] as const;

/** Which requests a fault strikes: so many, after so many that match. */
interface Place {
  readonly skip: number;
  readonly times: number;
}

export type PlannedFault =
  | (Place & { readonly at: 'aws'; readonly by: string; readonly fault: AwsFault })
  | (Place & { readonly at: 'openai'; readonly on: Operation; readonly fault: Fault })
  | (Place & { readonly at: 'pinecone'; readonly fault: PineconeFaultRule })
  | (Place & { readonly at: 'lambda'; readonly of: string; readonly fault: InvocationFault });

/** What is started once functions have made so many requests to AWS in this wave. */
export interface Start {
  readonly afterRequests: number;
  readonly what: (typeof STARTS)[number];
  /** Of an execution. */
  readonly input?: Readonly<Record<string, unknown>>;
}

/** Everything that is at work at once, and what befalls it. */
export interface Wave {
  /** That come in now. */
  readonly receipts: readonly ChaosReceipt[];
  readonly starts: readonly Start[];
  readonly faults: readonly PlannedFault[];
  readonly edits: readonly Edit[];
  /** How many writes the indexes are behind. */
  readonly indexLag: number;
  /** How the batches end that somebody asks for. */
  readonly batches: 'well' | 'late' | 'failed' | 'expired' | 'cancelled';
}

/** All that a seed decides. */
export interface ChaosPlan {
  readonly seed: number;
  readonly waves: readonly Wave[];
}

const STARTS = [
  ...['realtime', 'realtime', 'batchSubmit', 'batchSubmit', 'batchPoll', 'batchPoll'],
  ...['redo failed', 'redo batches', 'redo receipts'],
] as const satisfies readonly string[];

/** Functions, by a part of their deployed names. */
const FUNCTIONS = [
  ...['find-receipts', 'process-receipt', 'process-receipt', 'summarize', 'plan-batches'],
  ...['submit-batch', 'submit-batch', 'list-pending', 'get-batch-status', 'get-batch-status'],
  ...['download-batch', 'log-batch-results', 'log-batch-results', 'upsert-to-s3-vectors'],
  ...['upsert-to-pinecone', 'write-results', 'mark-batch-complete'],
  ...['release-batch', 'record-batch-failure'],
] as const;

const THROTTLED = { status: 400, code: 'ProvisionedThroughputExceededException' } as const;

export function planChaos(seed: number): ChaosPlan {
  const random = new Random(`chaos/${seed}`);
  const receipts: ChaosReceipt[] = [];
  return { seed, waves: times(2, () => planWave(receipts, random)) };
}

export function allReceipts({ waves }: ChaosPlan): ChaosReceipt[] {
  return waves.flatMap(({ receipts }) => receipts);
}

/** @param receipts those that there are; new ones are added. */
function planWave(receipts: ChaosReceipt[], random: Random): Wave {
  const fresh = planReceipts(random);
  receipts.push(...fresh);
  const quoted = fresh.flatMap(({ lines }) => lines.map(({ text }) => text)).slice(0, 3);
  // What a vendor may say in its errors.
  const echo = `'${quoted.join(' ')}' with the key ${API_KEYS.join(' ')}`;
  // What realtime embeds is done, however the batches left it: some waves are theirs alone.
  const withRealtime = random.chance(0.6);
  const started = [...STARTS, ...times(2, () => random.pick(STARTS))].filter(
    (what) => withRealtime || what !== 'realtime',
  );
  return {
    receipts: fresh,
    starts: started.map((what) => planStart(what, random)),
    faults: [
      ...times(random.int(3, 8), () => awsFault(echo, random)),
      ...times(random.int(1, 4), () => openaiFault(echo, random)),
      ...times(random.int(0, 2), () => pineconeFault(echo, random)),
      ...times(random.int(1, 4), () => lambdaFault(random)),
    ],
    edits: planEdits(receipts, random),
    indexLag: random.chance(0.5) ? 0 : random.int(1, 40),
    batches: random.pick(['well', 'well', 'well', 'late', 'failed', 'expired', 'cancelled']),
  };
}

/** Realtime mostly comes late, or there is nothing left for the batches. */
function planStart(what: Start['what'], random: Random): Start {
  if (what === 'batchSubmit') {
    return { what, afterRequests: random.chance(0.5) ? 0 : random.int(0, 150) };
  }
  if (what !== 'realtime') {
    return { what, afterRequests: random.chance(0.2) ? 0 : random.int(50, 500) };
  }
  const input = random.pick([{}, { limit: 1 }, { filter_by_embedding_status: 'NONE' }]);
  return { what, input, afterRequests: random.chance(0.15) ? 0 : random.int(150, 700) };
}

function times<Result>(count: number, make: () => Result): Result[] {
  return Array.from({ length: count }, make);
}

function place(random: Random, furthest: number, most: number): Place {
  return { skip: random.int(0, furthest), times: random.int(1, most) };
}

function moment(random: Random): 'before' | 'after' {
  return random.pick(['before', 'after'] as const);
}

function awsFault(message: string, random: Random): PlannedFault {
  const by = random.pick(FUNCTIONS);
  const fault = random.pick<AwsFault>([
    { kill: true, moment: 'before' },
    { kill: true, moment: 'after' },
    { kill: true, moment: moment(random) },
    { cut: true, moment: moment(random) },
    { ...THROTTLED, message },
    { status: 503, code: 'ServiceUnavailable', message, moment: moment(random) },
    { status: 400, code: 'ValidationException', message },
    { status: 400, code: 'AccessDeniedException', message },
    { delay: random.int(5, 60) },
  ]);
  // What is throttled is tried again at once, and mostly succeeds then.
  return { at: 'aws', by, ...place(random, 30, 'kill' in fault ? 1 : 6), fault };
}

function openaiFault(message: string, random: Random): PlannedFault {
  const common: readonly Fault[] = [
    { cut: true, moment: 'before' },
    { cut: true, moment: 'after' },
    { status: 500, message, moment: moment(random) },
    { status: 429, code: 'insufficient_quota', message },
    { status: 401, code: 'invalid_api_key', message },
    { status: 400, message },
    { cutAfterBytes: random.int(1, 900) },
    { delay: random.int(5, 60) },
  ];
  // A proxy's answer, and OpenAI's to a key of another project.
  const missing: readonly Fault[] = [
    { status: 404, body: '<html><body>Not Found</body></html>' },
    { status: 404, message: `Invalid URL (GET /batches/1): ${message}` },
    { status: 404, message: `No such object: ${message}` },
  ];
  const wrong: readonly Fault[] = [{ wrongCount: -1 }, { wrongDimension: 3 }, { shuffle: true }];
  const of: Readonly<Partial<Record<Operation, readonly Fault[]>>> = {
    'embeddings.create': [...common, ...wrong],
    'files.create': common,
    'batches.create': common,
    'batches.retrieve': [...common, ...missing],
    'files.content': [...common, ...missing],
    'batches.list': common,
  };
  const on = random.pick(Object.keys(of) as Operation[]);
  return { at: 'openai', on, ...place(random, 3, 4), fault: random.pick(of[on] ?? common) };
}

function pineconeFault(message: string, random: Random): PlannedFault {
  const fault = random.pick<PineconeFaultRule>([
    { cut: true, moment: 'before' },
    { cut: true, moment: 'after' },
    { status: 503, message, moment: moment(random) },
    { status: 400, message },
    { status: 403, message },
    { status: 429, message: `Quota exceeded for the current month: ${message}` },
  ]);
  return { at: 'pinecone', ...place(random, 2, 2), fault };
}

function lambdaFault(random: Random): PlannedFault {
  const fault = random.pick<InvocationFault>([
    { loseAnswer: 'at once' },
    { loseAnswer: 'at once' },
    { loseAnswer: 'at the end' },
    { refuse: 'TooManyRequestsException' },
  ]);
  return { at: 'lambda', of: random.pick(FUNCTIONS), ...place(random, 3, 2), fault };
}

/** What becomes of a request of any batch while there is chaos. It follows from the seed and the row alone. */
export function outcomeOf(seed: number, customId: string): RowOutcome {
  const random = new Random(`row/${seed}/${customId}`);
  if (random.chance(0.75)) return 'ok';
  return random.pick<RowOutcome>([
    ...['refused', 'server_error', 'expired', 'missing', 'malformed', 'cut', 'nan'].map(
      (outcome) => outcome as RowOutcome,
    ),
    ...(['doubled', 'float'] as const),
    { dimension: 3 },
  ]);
}
