import {
  ACCOUNT,
  BUG,
  codesOf,
  fieldOf,
  INPUT,
  judge,
  PACE,
  QUOTA,
  SETTING,
  textOf,
  VENDOR,
  type VendorAnswer,
  type VendorTable,
  type Verdict,
} from './verdict.ts';

const PLAN_FULL = "the plan's limit is reached; check plan and billing";
const CHECK = "check the API key, the index's name and its host";
const NO_INDEX = "there is no such index; check the API key, the index's name and its host";
const OF_THE_MONTH =
  /(?:current month|monthly|per month|of your plan|for your plan|upgrade your plan|max(?:imum)? (?:storage|number of))/i;
const DIMENSION = /dimension/i;
const RECORD = /(?:metadata|vector id|length of id|id.{0,20}too long|non-zero value)/i;
const TOO_LARGE = /(?:request size|message length|number of vectors|too many vectors)/i;
const WRONG_DIMENSION = "the vectors' dimensions are not the index's; check embedding_dimensions";
const BAD_RECORD = 'a record has metadata, an id or a vector that Pinecone does not take';
const LARGE = 'the request is larger than Pinecone takes';
const FAILED = 'Pinecone failed';

/**
 * What Pinecone's errors mean. Its control plane names a code, its data plane gives a number that says less than the status; `FORBIDDEN` and
 * `QUOTA_EXCEEDED` share a status. docs/troubleshooting.md has cause and cure of each.
 */
export const PINECONE_ANSWERS: VendorTable = [
  { code: 'QUOTA_EXCEEDED', ...QUOTA, reason: PLAN_FULL },
  { code: 'PAYMENT_REQUIRED', ...QUOTA, reason: PLAN_FULL },
  { code: 'RESOURCE_EXHAUSTED', says: OF_THE_MONTH, ...QUOTA, reason: PLAN_FULL },
  { code: 'RESOURCE_EXHAUSTED', says: TOO_LARGE, ...BUG, split: true, reason: LARGE },
  { code: 'RESOURCE_EXHAUSTED', ...PACE, reason: 'Pinecone asks to slow down' },
  { code: 'UNAUTHENTICATED', ...ACCOUNT, reason: CHECK },
  { code: 'FORBIDDEN', ...ACCOUNT, reason: CHECK },
  { code: 'PERMISSION_DENIED', ...ACCOUNT, reason: CHECK },
  { code: 'NOT_FOUND', ...SETTING, reason: NO_INDEX },
  { code: 'INVALID_ARGUMENT', says: DIMENSION, ...SETTING, reason: WRONG_DIMENSION },
  { code: 'INVALID_ARGUMENT', says: TOO_LARGE, ...BUG, split: true, reason: LARGE },
  { code: 'INVALID_ARGUMENT', says: RECORD, ...INPUT, reason: BAD_RECORD },
  { code: 'INVALID_ARGUMENT', ...BUG, reason: 'Pinecone does not take the request' },
  { code: 'OUT_OF_RANGE', ...BUG, reason: 'Pinecone does not take the request' },
  { code: 'FAILED_PRECONDITION', ...BUG, reason: 'Pinecone does not take the request' },
  { code: 'ALREADY_EXISTS', ...BUG, reason: 'it exists already' },
  { code: 'UNPROCESSABLE_ENTITY', ...BUG, reason: 'Pinecone does not take the request' },
  { code: 'UNIMPLEMENTED', ...SETTING, reason: CHECK },
  { code: 'ABORTED', ...VENDOR, reason: FAILED },
  { code: 'DEADLINE_EXCEEDED', ...VENDOR, reason: 'Pinecone took too long' },
  { code: 'UNAVAILABLE', ...VENDOR, reason: FAILED },
  { code: 'INTERNAL', ...VENDOR, reason: FAILED },
  { code: 'DATA_LOSS', ...VENDOR, reason: FAILED },

  { status: 400, says: DIMENSION, ...SETTING, reason: WRONG_DIMENSION },
  { status: 400, says: TOO_LARGE, ...BUG, split: true, reason: LARGE },
  { status: 400, says: RECORD, ...INPUT, reason: BAD_RECORD },
  { status: 401, ...ACCOUNT, reason: CHECK },
  { status: 402, ...QUOTA, reason: PLAN_FULL },
  { status: 403, says: OF_THE_MONTH, ...QUOTA, reason: PLAN_FULL },
  { status: 403, ...ACCOUNT, reason: CHECK },
  { status: 404, ...SETTING, reason: NO_INDEX },
  { status: 408, ...VENDOR, reason: 'Pinecone took too long' },
  { status: 413, ...BUG, split: true, reason: LARGE },
  { status: 429, says: OF_THE_MONTH, ...QUOTA, reason: PLAN_FULL },
  { status: 429, ...PACE, reason: 'Pinecone asks to slow down' },
  { status: [300, 499], ...BUG, reason: 'Pinecone does not take the request' },
  { ...VENDOR, reason: FAILED },
];

/**
 * An error of either plane: `{error: {code, message}, status}`, or `{code: 3, message, details}`, whose number says no more than the
 * status does; else plain text.
 */
export function readPineconeError(body: unknown, status: number, text: string): VendorAnswer {
  const said = fieldOf(body, 'error') ?? body;
  return {
    status,
    code: textOf(fieldOf(said, 'code')),
    message: textOf(fieldOf(said, 'message')) ?? text,
  };
}

export function judgePinecone(answer: VendorAnswer): Verdict {
  return judge(PINECONE_ANSWERS, answer);
}

const CODES = codesOf(PINECONE_ANSWERS);

/** A code that may be shown: one that we know. */
export function shownPineconeCode({ code }: VendorAnswer): string | undefined {
  return code !== undefined && CODES.has(code) ? code : undefined;
}

/** A request's id that may be shown. */
export function shownPineconeRequestId(id: string | null): string | undefined {
  return id !== null && /^\d{1,20}$/.test(id) ? id : undefined;
}

/** Two numbers of a message about dimensions, which say what to do. */
export function shownDimensions({ message }: VendorAnswer): string {
  const found =
    /Vector dimension (\d{1,6}) does not match the dimension of the index (\d{1,6})/.exec(
      message ?? '',
    );
  return found === null
    ? ''
    : ` (Vector dimension ${found[1] ?? ''} does not match the dimension of the index ${found[2] ?? ''})`;
}
