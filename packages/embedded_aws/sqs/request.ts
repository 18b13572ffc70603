import { parseJsonObject } from '../http/json_text.ts';
import { SqsError } from './answers.ts';

/** The members of a request, or of an entry of a batch, read one by one with SQS's own answers to what is wrong. */
export class SqsRequest {
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(members: Readonly<Record<string, unknown>>) {
    this.#members = members;
  }

  /** @throws SqsError SerializationException */
  static parse(body: Buffer): SqsRequest {
    return new SqsRequest(object(parseJsonObject(body.toString() || '{}'), 'the request'));
  }

  /** @throws SqsError MissingParameter */
  text(member: string): string {
    const value = this.optionalText(member);
    if (value !== undefined) return value;
    throw new SqsError('MissingParameter', `The request must contain the parameter ${member}.`);
  }

  optionalText(member: string): string | undefined {
    const value = this.#members[member] ?? undefined;
    if (value === undefined || typeof value === 'string') return value;
    throw wrongForm(member);
  }

  texts(member: string): readonly string[] {
    return this.#list(member).map((value) => {
      if (typeof value === 'string') return value;
      throw wrongForm(member);
    });
  }

  /** @throws SqsError InvalidParameterValue for a number that is out of range. */
  integer(member: string, least: number, most: number): number | undefined {
    const value = this.#members[member] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongForm(member);
    if (value >= least && value <= most) return value;
    throw new SqsError(
      'InvalidParameterValue',
      `Value ${value} for parameter ${member} is invalid. Reason: Must be between ${least} and ${most}, if provided.`,
    );
  }

  record(member: string): Readonly<Record<string, unknown>> {
    return object(this.#members[member] ?? {}, member);
  }

  /**
   * The entries of a batch, each with its id.
   *
   * @throws SqsError for a batch that has none or too many, and for ids that are wrong.
   */
  entries(): readonly (readonly [id: string, entry: SqsRequest])[] {
    const list = this.#list('Entries').map((entry) => new SqsRequest(object(entry, 'Entries')));
    if (list.length === 0) {
      throw new SqsError('EmptyBatchRequest', 'There should be at least one entry in the request.');
    }
    if (list.length > MAX_ENTRIES) {
      throw new SqsError(
        'TooManyEntriesInBatchRequest',
        `Maximum number of entries per request are ${MAX_ENTRIES}. You have sent ${list.length}.`,
      );
    }
    const entries = list.map((entry) => [entry.text('Id'), entry] as const);
    const ids = new Set<string>();
    for (const [id] of entries) {
      if (!ENTRY_ID.test(id)) {
        throw new SqsError(
          'InvalidBatchEntryId',
          'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
        );
      }
      if (ids.has(id)) throw new SqsError('BatchEntryIdsNotDistinct', `Id ${id} repeated.`);
      ids.add(id);
    }
    return entries;
  }

  #list(member: string): readonly unknown[] {
    const value = this.#members[member] ?? [];
    if (Array.isArray(value)) return value;
    throw wrongForm(member);
  }
}

/** Entries of a batch (SQS quotas). */
const MAX_ENTRIES = 10;
const ENTRY_ID = /^[\w-]{1,80}$/;

function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw wrongForm(what);
}

function wrongForm(what: string): SqsError {
  return new SqsError('SerializationException', `${what} is not of the form of this operation.`);
}
