import type { ObservedRequest } from 'embedded-aws/aws/faults';
import type { Operation } from 'vendor-stand-ins/openai/faults';
import { BATCH_FUNCTIONS, type BatchStack } from './batch_stack.ts';
import { type BatchRequest, batchRequestOf } from './observed_requests.ts';

/** `halfway`: after the first of a batch of statements. */
type Moment = 'before' | 'after' | 'halfway';

/** What is asked of OpenAI and Pinecone, and which function asks. */
const VENDOR_REQUESTS = {
  'submit: the upload': ['files.create', BATCH_FUNCTIONS.submit],
  'submit: the creation': ['batches.create', BATCH_FUNCTIONS.submit],
  'poll: the status': ['batches.retrieve', BATCH_FUNCTIONS.status],
  'download: the file': ['files.content', BATCH_FUNCTIONS.download],
} as const satisfies Record<string, readonly [Operation, string]>;

type VendorRequest = keyof typeof VENDOR_REQUESTS | 'upsert: the vectors';

/** Where a function dies: at the nth request of a kind, before it takes effect, halfway through or right after, without its answer. */
export interface Death {
  readonly at: BatchRequest | VendorRequest;
  /** @default 1 */
  readonly nth?: number;
  readonly moment: Moment;
}

/**
 * From now on, and until the next reset, the function that works on a batch dies where `deathOf` says, once. It takes a stack
 * with one batch at a time: a batch's turn begins with its record, or its claim by a poll.
 *
 * @param deathOf asked once for each batch.
 */
export function letDie(stack: BatchStack, deathOf: (batchId: string) => Death | undefined): void {
  const turns = new Turns(deathOf);
  let due: Moment | undefined;
  stack.breakAws({
    when: (request) => {
      due = turns.dueAt(request);
      return due === 'before';
    },
    kill: true,
    moment: 'before',
  });
  stack.breakAws({ when: () => due === 'after', kill: true, moment: 'after' });
  stack.breakAws({ when: () => due === 'halfway', kill: true, moment: 'after', executed: 1 });

  const { openai } = stack.local;
  for (const moment of ['before', 'after'] as const) {
    for (const [request, [on, functionName]] of Object.entries(VENDOR_REQUESTS)) {
      const when = (): boolean => dies(request as VendorRequest, moment, functionName);
      stack.untilReset(openai.fault({ on, cut: true, moment, when }));
    }
    const when = ({ operation }: { readonly operation: string }): boolean =>
      operation === 'upsert' && dies('upsert: the vectors', moment, BATCH_FUNCTIONS.upsert);
    stack.breakPinecone({ cut: true, moment, when });
  }

  function dies(request: VendorRequest, moment: Moment, functionName: string): boolean {
    if (!turns.isDue(request, moment)) return false;
    stack.killEnvironments(functionName);
    return true;
  }
}

/** The batch that is being worked on, and its death. */
class Turns {
  readonly #deathOf: (batchId: string) => Death | undefined;
  readonly #begun = new Set<string>();
  #death: Death | undefined;
  #seen = 0;

  constructor(deathOf: (batchId: string) => Death | undefined) {
    this.#deathOf = deathOf;
  }

  dueAt(request: ObservedRequest): Moment | undefined {
    const name = batchRequestOf(request);
    if (name === undefined) return undefined;
    if (name === 'submit: the record' || name === 'poll: the claim') this.#begin(request);
    const moment = this.#death?.moment;
    return moment !== undefined && this.isDue(name, moment) ? moment : undefined;
  }

  /** It counts, and strikes once. */
  isDue(name: Death['at'], moment: Moment): boolean {
    if (this.#death?.at !== name || this.#death.moment !== moment) return false;
    this.#seen++;
    if (this.#seen < (this.#death.nth ?? 1)) return false;
    this.#death = undefined;
    return true;
  }

  #begin({ body }: ObservedRequest): void {
    const batchId = /"BATCH#(?<id>[0-9a-f-]{36})"/.exec(body.toString())?.groups?.['id'];
    if (batchId === undefined) throw new Error('a batch without an id');
    this.#seen = 0;
    this.#death = this.#begun.has(batchId) ? undefined : this.#deathOf(batchId);
    this.#begun.add(batchId);
  }
}
