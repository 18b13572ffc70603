import {
  ACCOUNT,
  BUG,
  fieldOf,
  INPUT,
  PACE,
  QUOTA,
  SETTING,
  textOf,
  VENDOR,
  type VendorAnswer,
  type VendorErrors,
  type VendorTable,
} from './verdict.ts';

const CHECK = 'check chroma_http_endpoint and the token';
const NOT_FOUND = 'the collection, database or tenant does not exist';
const DIMENSION = 'the collection holds vectors of other dimensions; check embedding_dimensions';
const SLOWER = 'Chroma asks to slow down';
const FULL = 'a quota of Chroma Cloud is used up; check its plan';

/**
 * What the errors of a Chroma server, or of Chroma Cloud, mean: `code` is its `error`, a class of its own, which says little: a wrong
 * dimension is an InvalidArgumentError. docs/troubleshooting.md has cause and cure of each.
 */
export const CHROMA_ANSWERS: VendorTable = [
  { code: 'AuthError', ...ACCOUNT, reason: CHECK },
  { code: 'AuthorizationError', ...ACCOUNT, reason: CHECK },
  { code: 'NotFoundError', ...SETTING, reason: NOT_FOUND },
  { code: 'InvalidCollection', ...SETTING, reason: NOT_FOUND },
  { code: 'InvalidDimension', ...SETTING, reason: DIMENSION },
  { code: 'InvalidDimensionException', ...SETTING, reason: DIMENSION },
  { code: 'RateLimitError', ...PACE, reason: SLOWER },
  { code: 'QuotaError', ...QUOTA, reason: FULL },
  {
    code: 'UniqueConstraintError',
    error: 'ConcurrentUpdate',
    fault: 'vendor',
    wait: true,
    reason: 'it exists already',
  },
  { code: 'InternalError', ...VENDOR, reason: 'Chroma failed' },

  { status: 413, ...BUG, split: true, reason: 'the request is larger than Chroma takes' },
  {
    status: 422,
    says: /'(?:Document size|ID size|Size of metadata dictionary)/,
    ...INPUT,
    reason: 'a record has a text, metadata or an id larger than the plan of Chroma Cloud takes',
  },
  {
    status: 400,
    says: /^(?:Database|Tenant|Collection) \[.*\] does not exist/,
    ...SETTING,
    reason: NOT_FOUND,
  },
  { status: 400, says: /dimension/i, ...SETTING, reason: DIMENSION },
  { status: 402, ...QUOTA, reason: FULL },
  { status: [401, 403], ...ACCOUNT, reason: CHECK },
  { status: 404, ...SETTING, reason: NOT_FOUND },
  { status: 408, ...VENDOR, reason: 'Chroma took too long' },
  {
    status: 409,
    error: 'ConcurrentUpdate',
    fault: 'vendor',
    wait: true,
    reason: 'it exists already',
  },
  {
    status: [422, 429],
    says: /(?:rate|concurren|per (?:second|minute))/i,
    ...PACE,
    reason: SLOWER,
  },
  { status: [422, 429], says: /quota/i, ...QUOTA, reason: FULL },
  { status: 429, ...PACE, reason: SLOWER },
  { status: [300, 499], ...BUG, reason: 'Chroma does not take the request' },
  { ...VENDOR, reason: 'Chroma failed' },
];

/** `{error: 'NotFoundError', message}`. */
function readChromaError(body: unknown, status: number): VendorAnswer {
  return {
    status,
    code: textOf(fieldOf(body, 'error')),
    message: textOf(fieldOf(body, 'message')),
  };
}

export const CHROMA: VendorErrors = { table: CHROMA_ANSWERS, read: readChromaError };

/** Codes by which Chroma says that it has no such collection. */
export const NO_COLLECTION: ReadonlySet<string> = new Set(['NotFoundError', 'InvalidCollection']);
