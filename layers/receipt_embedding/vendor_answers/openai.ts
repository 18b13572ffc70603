import {
  ACCOUNT,
  BUG,
  fieldOf,
  INPUT,
  judge,
  PACE,
  QUOTA,
  SETTING,
  textOf,
  UNKNOWN,
  VENDOR,
  type VendorAnswer,
  type VendorTable,
  type Verdict,
} from './verdict.ts';

const NO_QUOTA = 'the account has no quota left; check its plan and billing';
const NOT_BILLED = 'billing is not active for the account; check its plan and billing';
const HARD_LIMIT = 'the hard limit of the account’s billing is reached; check its plan and billing';
const TERMINATED = 'OpenAI has ended the account’s access; ask OpenAI';
const NO_DIMENSIONS =
  'the model takes no dimensions; check embedding_model and embedding_dimensions';
const UNKNOWN_PARAMETER = 'OpenAI does not know a parameter of the request; check embedding_model';
const TOO_LONG = 'the text is longer than the model reads (8,192 tokens)';
const EMPTY = 'the text is empty';
const TOO_FAST = 'the account asks faster than its limits allow';
const TOO_LARGE = 'the request is larger than the account’s limits allow';
const CHECK_KEY = 'check the API key, the base URL and the embedding model';
const BROKEN = 'OpenAI failed';
const REFUSED_INPUT = 'OpenAI refused the input';
const UNEXPLAINED = 'OpenAI refused the request for a reason that is not known here';

const NO_FILE = {
  error: 'InvalidRequest',
  fault: 'vendor',
  wait: true,
  reason: 'OpenAI does not see the uploaded file, or not yet',
} as const;

/** Statuses of a refusal whose fault the status alone does not tell. */
const REFUSALS = [400, 422] as const;
const INPUT_PARAM = /^input(?:\[\d{1,5}\])?$/;

/** What is said of an input that is to blame, with 400 or 422: by the parameter `input`, or where no parameter is named. */
const INPUT_FAULTS = [
  { says: /(?:maximum context length|maximum input length)/i, ...INPUT, reason: TOO_LONG },
  {
    says: /max \d+ tokens per request/i,
    ...INPUT,
    split: true,
    reason: 'the request has more tokens than OpenAI takes at once',
  },
  { says: /(?:empty string|cannot be empty|not be an empty)/i, ...INPUT, reason: EMPTY },
] as const;

/**
 * What OpenAI's errors mean: of requests, of the rows of a batch, and of a batch that failed (`errors.data`, which has no status).
 * Collected from its API description and from public reports; docs/troubleshooting.md has cause and cure of each.
 */
export const OPENAI_ANSWERS: VendorTable = [
  { code: 'insufficient_quota', ...QUOTA, reason: NO_QUOTA },
  { code: 'billing_hard_limit_reached', ...QUOTA, reason: HARD_LIMIT },
  { code: 'organization_spend_limit_exceeded', ...QUOTA, reason: HARD_LIMIT },
  { code: 'organization_usage_limit_exceeded', ...QUOTA, reason: HARD_LIMIT },
  { code: 'project_spend_limit_exceeded', ...QUOTA, reason: HARD_LIMIT },
  { code: 'quota_exceeded', ...QUOTA, reason: NO_QUOTA },
  { code: 'billing_not_active', ...QUOTA, reason: NOT_BILLED },
  { code: 'access_terminated', ...ACCOUNT, reason: TERMINATED },
  { code: 'invalid_api_key', ...ACCOUNT, reason: CHECK_KEY },
  { code: 'invalid_issuer', ...ACCOUNT, reason: CHECK_KEY },
  { code: 'invalid_organization', ...ACCOUNT, reason: CHECK_KEY },
  { code: 'mismatched_organization', ...ACCOUNT, reason: CHECK_KEY },
  { code: 'mismatched_project', ...ACCOUNT, reason: CHECK_KEY },
  { code: 'ip_not_authorized', ...ACCOUNT, reason: CHECK_KEY },
  { code: 'missing_scope', ...ACCOUNT, reason: 'the API key lacks a permission; check its scopes' },
  {
    code: 'insufficient_permissions',
    ...ACCOUNT,
    reason: 'the API key lacks a permission; check its scopes',
  },
  {
    code: 'account_deactivated',
    ...ACCOUNT,
    reason: 'the account is deactivated; check the API key and ask OpenAI',
  },
  {
    code: 'unsupported_country_region_territory',
    ...ACCOUNT,
    reason: 'OpenAI does not serve this country or region',
  },
  { code: 'model_not_found', ...SETTING, reason: CHECK_KEY },
  {
    code: 'mismatched_model',
    ...SETTING,
    reason: 'the requests of one batch name several models; check embedding_model',
  },
  {
    code: 'invalid_model',
    ...SETTING,
    reason: 'OpenAI has no such embedding model; check embedding_model',
  },
  {
    code: 'model_not_supported',
    ...SETTING,
    reason: 'the model makes no embeddings; check embedding_model',
  },
  { code: 'unknown_parameter', ...SETTING, reason: UNKNOWN_PARAMETER },
  { code: 'unsupported_parameter', ...SETTING, reason: UNKNOWN_PARAMETER },
  {
    code: 'rate_limit_exceeded',
    says: /request too large/i,
    ...PACE,
    split: true,
    reason: TOO_LARGE,
  },
  { code: 'rate_limit_exceeded', ...PACE, reason: TOO_FAST },
  {
    code: 'token_limit_exceeded',
    ...PACE,
    reason:
      'the account’s queue of batches is full; submit again once others have ended, or lower batch_max_tokens',
  },
  {
    code: 'max_tokens_per_request',
    ...INPUT,
    split: true,
    reason: 'the request has more tokens than OpenAI takes at once',
  },
  { code: 'context_length_exceeded', ...INPUT, reason: TOO_LONG },
  { code: 'string_above_max_length', ...INPUT, reason: TOO_LONG },
  { code: 'empty_string', ...INPUT, reason: EMPTY },
  { code: 'empty_array', ...BUG, reason: 'the request has no input' },
  {
    code: 'array_above_max_length',
    ...BUG,
    split: true,
    reason: 'the request has more inputs than OpenAI takes at once',
  },
  { code: 'missing_required_parameter', ...BUG, reason: 'the request lacks a parameter' },
  { code: 'invalid_json_line', ...BUG, reason: 'a line of the batch’s input file is no JSON' },
  { code: 'duplicate_custom_id', ...BUG, reason: 'two requests of the batch have one custom_id' },
  { code: 'missing_custom_id', ...BUG, reason: 'a request of the batch has no custom_id' },
  { code: 'empty_file', ...BUG, reason: 'the batch’s input file is empty' },
  { code: 'file_too_large', ...BUG, reason: 'the batch’s input file is larger than OpenAI takes' },
  { code: 'too_many_tasks', ...BUG, reason: 'the batch has more requests than OpenAI takes' },
  { code: 'mismatched_url', ...BUG, reason: 'a request of the batch is of another endpoint' },
  { code: 'invalid_url', ...BUG, reason: 'a request of the batch is of another endpoint' },
  { code: 'invalid_method', ...BUG, reason: 'a request of the batch has another method than POST' },
  { code: 'batch_expired', ...VENDOR, reason: 'the batch expired before OpenAI came to it' },
  {
    code: 'batch_cancelled',
    ...VENDOR,
    reason: 'the batch was cancelled before OpenAI came to it',
  },
  { code: 'server_error', ...VENDOR, reason: BROKEN },

  { type: 'insufficient_quota', ...QUOTA, reason: NO_QUOTA },
  { type: 'billing_hard_limit_reached', ...QUOTA, reason: HARD_LIMIT },
  { type: 'billing_not_active', ...QUOTA, reason: NOT_BILLED },
  { type: 'access_terminated', ...ACCOUNT, reason: TERMINATED },
  {
    type: 'max_tokens_per_request',
    ...INPUT,
    split: true,
    reason: 'the request has more tokens than OpenAI takes at once',
  },
  { type: 'tokens', says: /request too large/i, ...PACE, split: true, reason: TOO_LARGE },
  { type: 'tokens', ...PACE, reason: TOO_FAST },
  { type: 'requests', ...PACE, reason: TOO_FAST },
  { type: 'server_error', ...VENDOR, reason: BROKEN },

  // A file that was uploaded a moment ago may not be seen yet: no verdict at once.
  { param: /^(?:input_)?file(?:_id)?$/, status: 400, ...NO_FILE },
  {
    param: /^dimensions$/,
    status: [400, 422],
    ...SETTING,
    reason: 'OpenAI does not take these dimensions; check embedding_model and embedding_dimensions',
  },
  {
    param: /^(?:model|encoding_format|endpoint|completion_window|metadata|purpose)\b/,
    status: [400, 422],
    ...SETTING,
    reason: 'OpenAI does not take a parameter of the request; check embedding_model',
  },
  ...INPUT_FAULTS.map((row) => ({ param: INPUT_PARAM, status: REFUSALS, ...row })),
  { param: INPUT_PARAM, status: REFUSALS, ...INPUT, reason: REFUSED_INPUT },

  { status: [400, 422], says: /(?:billing hard limit)/i, ...QUOTA, reason: HARD_LIMIT },
  {
    status: [400, 422],
    says: /(?:support|specify)\w* .*\bdimensions\b/i,
    ...SETTING,
    reason: NO_DIMENSIONS,
  },
  {
    status: [400, 422],
    says: /(?:unrecognized request argument|unknown parameter)/i,
    ...SETTING,
    reason: UNKNOWN_PARAMETER,
  },
  {
    status: [400, 422],
    says: /does not match the model/i,
    ...SETTING,
    reason: 'the requests of one batch name several models; check embedding_model',
  },
  ...INPUT_FAULTS.map((row) => ({ status: REFUSALS, ...row })),
  { status: REFUSALS, says: /'\$\.input' is invalid/i, ...INPUT, reason: REFUSED_INPUT },
  { status: 400, ...UNKNOWN, reason: UNEXPLAINED },
  { status: 401, ...ACCOUNT, reason: CHECK_KEY },
  { status: 402, ...QUOTA, reason: NO_QUOTA },
  { status: 403, ...ACCOUNT, reason: CHECK_KEY },
  // Of a file that is named when a batch is created; polls and downloads look at it themselves (batches/openai_batches.ts).
  { status: 404, says: /\bno such file\b/i, ...NO_FILE },
  { status: 404, ...SETTING, reason: CHECK_KEY },
  { status: 408, ...VENDOR, reason: 'OpenAI took too long' },
  { status: 409, ...VENDOR, reason: BROKEN },
  {
    status: 413,
    ...INPUT,
    split: true,
    reason: 'the request is larger than OpenAI, or a proxy before it, takes',
  },
  { status: 422, ...UNKNOWN, reason: UNEXPLAINED },
  { status: 429, says: /request too large/i, ...PACE, split: true, reason: TOO_LARGE },
  { status: 429, says: /(?:current quota|billing)/i, ...QUOTA, reason: NO_QUOTA },
  { status: 429, ...PACE, reason: TOO_FAST },
  { status: [300, 499], ...BUG, reason: 'OpenAI refused the request; check the base URL' },
  { ...VENDOR, reason: BROKEN },
];

/**
 * An error object of OpenAI's (`error` of an answer, of a row, one of `errors.data`), whatever stands in it.
 *
 * @param said a text is taken for the message, as some proxies answer.
 */
export function readOpenAIError(said: unknown, status?: number): VendorAnswer {
  return {
    status,
    code: textOf(fieldOf(said, 'code')),
    type: textOf(fieldOf(said, 'type')),
    param: textOf(fieldOf(said, 'param')),
    message: textOf(fieldOf(said, 'message')) ?? textOf(said),
  };
}

export function judgeOpenAI(answer: VendorAnswer): Verdict {
  return judge(OPENAI_ANSWERS, answer);
}

/** OpenAI's codes are words joined by `_`; a receipt's word, a key or a sentence is none. */
const CODE = /^[a-z]{2,20}(?:_[a-z]{1,20}){1,6}$/;

/** A code that may be shown. */
export function shownCode({ code }: VendorAnswer): string | undefined {
  return code !== undefined && CODE.test(code) ? code : undefined;
}

const PARAM =
  /^(?:input|model|dimensions|encoding_format|user|file|file_id|purpose|input_file_id|endpoint|completion_window|metadata|limit|after)(?:\[\d{1,5}\])?$/;

/** A parameter that may be shown: one that our requests have. */
export function shownParam({ param }: VendorAnswer): string | undefined {
  return param !== undefined && PARAM.test(param) ? param : undefined;
}

const REQUEST_ID = /^(?:req_[0-9a-f]{1,40}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** A request's id that may be shown. */
export function shownRequestId(id: string | null | undefined): string | undefined {
  return id != null && REQUEST_ID.test(id) ? id : undefined;
}

/**
 * What is said of an error: its name in our table, its code, where it stands, and our reason.
 *
 * @example
 * ```ts
 * describeOpenAIError({ code: 'token_limit_exceeded' }); // 'RateLimited (token_limit_exceeded): the account’s queue …'
 * ```
 */
export function describeOpenAIError(answer: VendorAnswer, line?: number): string {
  const { error, reason } = judgeOpenAI(answer);
  const facts = [
    answer.status === undefined ? undefined : `${answer.status}`,
    shownCode(answer),
    line === undefined ? undefined : `line ${line}`,
  ].filter((fact) => fact !== undefined);
  return `${error}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}: ${reason}`;
}
