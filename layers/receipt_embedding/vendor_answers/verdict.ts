import {
  ConcurrentUpdate,
  InvalidConfiguration,
  InvalidRequest,
  QuotaExhausted,
  RateLimited,
  UpstreamUnavailable,
} from '../errors.ts';
import type { Fault, LayerError } from '../layer_error.ts';

/** The layer's errors that a vendor's answer can mean. */
const ERRORS = {
  RateLimited,
  UpstreamUnavailable,
  QuotaExhausted,
  InvalidRequest,
  InvalidConfiguration,
  ConcurrentUpdate,
} as const;

/** What an answer means. */
export interface Verdict {
  readonly error: keyof typeof ERRORS;
  readonly fault: Fault;
  /** Whether the same request may succeed later. */
  readonly wait: boolean;
  /** In our own words: it goes into logs, records and causes. */
  readonly reason: string;
  /** It is too large for the account, or for the API: in two halves it may succeed. */
  readonly split?: true;
}

/** The verdicts that vendors have in common; a row of a table adds its reason. */
export const QUOTA = { error: 'QuotaExhausted', fault: 'account', wait: false } as const;
export const ACCOUNT = { error: 'InvalidConfiguration', fault: 'account', wait: false } as const;
export const SETTING = { error: 'InvalidConfiguration', fault: 'ours', wait: false } as const;
export const INPUT = { error: 'InvalidRequest', fault: 'input', wait: false } as const;
/** What no request of ours should be answered with. */
export const BUG = { error: 'InvalidRequest', fault: 'ours', wait: false } as const;
/** A refusal that no row of the table explains: it may be anybody's fault. */
export const UNKNOWN = { error: 'InvalidRequest', fault: 'unknown', wait: false } as const;
export const PACE = { error: 'RateLimited', fault: 'account', wait: true } as const;
export const VENDOR = { error: 'UpstreamUnavailable', fault: 'vendor', wait: true } as const;

/** An error as a vendor answers it; a field that it does not have, or that is no text, is undefined. */
export interface VendorAnswer {
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly type?: string | undefined;
  /** The field of the request that is to blame. */
  readonly param?: string | undefined;
  readonly message?: string | undefined;
}

/** A row of a vendor's table: it holds for an answer with all of these. */
export interface VendorRow extends Verdict {
  readonly code?: string;
  readonly type?: string;
  readonly param?: RegExp;
  /** One status, or from the first to the last. */
  readonly status?: number | readonly [first: number, last: number];
  /** What the message says. It is people's text and changes: only where nothing else tells. */
  readonly says?: RegExp;
}

/** Rows in any order; the last one holds for whatever no other one does. */
export type VendorTable = readonly [...VendorRow[], Verdict];

/** In the order of their trust. A message alone never decides. */
const CRITERIA = ['code', 'type', 'param', 'status'] as const;

/**
 * What an answer means: the row of its code, else of its type, else of the parameter that it blames, else of its status. Of the
 * rows with one code, those that ask for more stand first.
 *
 * @example
 * ```ts
 * judge(OPENAI_ANSWERS, { status: 429, code: 'insufficient_quota' }).error; // 'QuotaExhausted'
 * ```
 */
export function judge(table: VendorTable, answer: VendorAnswer): Verdict {
  const rows: readonly VendorRow[] = table;
  for (const [at, criterion] of CRITERIA.entries()) {
    const stronger = CRITERIA.slice(0, at);
    const found = rows.find(
      (row) =>
        row[criterion] !== undefined &&
        stronger.every((other) => row[other] === undefined) &&
        holds(row, answer),
    );
    if (found !== undefined) return found;
  }
  return table[table.length - 1] as Verdict;
}

function holds({ code, type, param, status, says }: VendorRow, answer: VendorAnswer): boolean {
  return (
    (code === undefined || code === answer.code) &&
    (type === undefined || type === answer.type) &&
    (param === undefined || param.test(answer.param ?? '')) &&
    (status === undefined || within(status, answer.status)) &&
    (says === undefined || says.test(answer.message ?? ''))
  );
}

function within(
  wanted: number | readonly [first: number, last: number],
  status: number | undefined,
): boolean {
  if (status === undefined) return false;
  const [first, last] = typeof wanted === 'number' ? [wanted, wanted] : wanted;
  return status >= first && status <= last;
}

/** The layer's error of a verdict. @param what who answered what, in our words and allow-listed fields. */
export function vendorError(
  { error, fault, reason, split }: Verdict,
  what: string,
  vendor_code?: string,
): LayerError {
  return new ERRORS[error](`${what}: ${reason}`, {
    fault,
    ...(vendor_code === undefined ? {} : { vendor_code }),
    ...(split === undefined ? {} : { split }),
  });
}

/** Every code that a table knows. */
export function codesOf(table: VendorTable): ReadonlySet<string> {
  const rows: readonly VendorRow[] = table;
  return new Set(
    rows.flatMap(({ code, type }) => [code, type].filter((name) => name !== undefined)),
  );
}

/** How one vendor's errors are read, and what they mean. */
export interface VendorErrors {
  readonly table: VendorTable;
  /** @param body undefined where it is no JSON. */
  readonly read: (body: unknown, status: number) => VendorAnswer;
}

/** A text of an answer; undefined for whatever else stands there. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A field of an answer that is an object; undefined where it is none. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
