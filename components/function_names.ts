/** The folders of `simple_lambdas` that hold a function. */
export const FUNCTION_NAMES = [
  'find_receipts_realtime',
  'process_receipt_realtime',
  'summarize_realtime_run',
] as const;

export type FunctionName = (typeof FUNCTION_NAMES)[number];
