const DAY = 24 * 60 * 60;

/**
 * How long an execution may take, seconds: several times what the largest takes, so that one that hangs ends (and an alarm
 * says so) before it has cost much.
 */
export const RUN_TIMEOUT = {
  /** A million receipts at ten a time, some three seconds each, take three and a half days. */
  realtime: 7 * DAY,
  /** A hundred batches at five a time, each for Lambda's 15 minutes at most, take five hours. */
  batchSubmit: DAY,
  /** 250 batches at five a time, some 15 minutes each, take half a day. */
  batchPoll: DAY,
} as const;
