import {
  ACCOUNT,
  BUG,
  fieldOf,
  PACE,
  textOf,
  VENDOR,
  type VendorAnswer,
  type VendorErrors,
  type VendorTable,
} from './verdict.ts';

const BAD_KEY = 'Google does not accept the API key; check google_places_api_key';
const RESTRICTED =
  'the API key’s restrictions do not allow Places API (New); check the key in the Google Cloud console';
const DISABLED = 'Places API (New) is not enabled for the project';
const NOT_BILLED = 'billing is not enabled for the project';

/**
 * What the errors of Google's Places API (New) mean: `code` is the reason in `error.details`, `type` its `error.status`. None of
 * them is fatal to a receipt. docs/troubleshooting.md has cause and cure of each.
 */
export const GOOGLE_ANSWERS: VendorTable = [
  { code: 'API_KEY_INVALID', ...ACCOUNT, reason: BAD_KEY },
  { code: 'CREDENTIALS_MISSING', ...ACCOUNT, reason: BAD_KEY },
  { code: 'API_KEY_SERVICE_BLOCKED', ...ACCOUNT, reason: RESTRICTED },
  { code: 'API_KEY_HTTP_REFERRER_BLOCKED', ...ACCOUNT, reason: RESTRICTED },
  { code: 'API_KEY_IP_ADDRESS_BLOCKED', ...ACCOUNT, reason: RESTRICTED },
  { code: 'API_KEY_ANDROID_APP_BLOCKED', ...ACCOUNT, reason: RESTRICTED },
  { code: 'API_KEY_IOS_APP_BLOCKED', ...ACCOUNT, reason: RESTRICTED },
  { code: 'SERVICE_DISABLED', ...ACCOUNT, reason: DISABLED },
  { code: 'SERVICE_NOT_VISIBLE', ...ACCOUNT, reason: DISABLED },
  { code: 'BILLING_DISABLED', ...ACCOUNT, reason: NOT_BILLED },
  { code: 'CONSUMER_SUSPENDED', ...ACCOUNT, reason: 'Google has suspended the project' },
  { code: 'CONSUMER_INVALID', ...ACCOUNT, reason: BAD_KEY },
  { code: 'RATE_LIMIT_EXCEEDED', ...PACE, reason: 'Google asks to slow down' },
  { code: 'RESOURCE_QUOTA_EXCEEDED', ...PACE, reason: 'Google asks to slow down' },

  { type: 'PERMISSION_DENIED', ...ACCOUNT, reason: RESTRICTED },
  { type: 'UNAUTHENTICATED', ...ACCOUNT, reason: BAD_KEY },
  { type: 'RESOURCE_EXHAUSTED', ...PACE, reason: 'Google asks to slow down' },
  { type: 'INVALID_ARGUMENT', ...BUG, reason: 'Google does not take the request' },
  { type: 'FAILED_PRECONDITION', ...BUG, reason: 'Google does not take the request' },
  { type: 'NOT_FOUND', ...BUG, reason: 'Google does not take the request' },
  { type: 'INTERNAL', ...VENDOR, reason: 'Google failed' },
  { type: 'UNAVAILABLE', ...VENDOR, reason: 'Google failed' },
  { type: 'DEADLINE_EXCEEDED', ...VENDOR, reason: 'Google took too long' },

  { status: [401, 403], ...ACCOUNT, reason: RESTRICTED },
  {
    status: 404,
    error: 'InvalidConfiguration',
    fault: 'ours',
    wait: false,
    reason: 'a proxy answers in place of Google',
  },
  { status: 408, ...VENDOR, reason: 'Google took too long' },
  { status: 429, ...PACE, reason: 'Google asks to slow down' },
  { status: [300, 499], ...BUG, reason: 'Google does not take the request' },
  { ...VENDOR, reason: 'Google failed' },
];

/** `{error: {code, status, message, details: [{reason}]}}`. */
function readGoogleError(body: unknown, status: number): VendorAnswer {
  const said = fieldOf(body, 'error');
  const details = fieldOf(said, 'details');
  const reasons = Array.isArray(details)
    ? details.map((detail: unknown) => textOf(fieldOf(detail, 'reason')))
    : [];
  return {
    status,
    code: reasons.find((reason) => reason !== undefined),
    type: textOf(fieldOf(said, 'status')),
    message: textOf(fieldOf(said, 'message')),
  };
}

export const GOOGLE: VendorErrors = { table: GOOGLE_ANSWERS, read: readGoogleError };
