/** How the Batch API behaves where no script says otherwise. */
export interface BatchOptions {
  /**
   * How long a batch takes, milliseconds, a third of it in each of `validating`, `in_progress` and `finalizing`. 0: done
   * when somebody looks. Infinity: it moves by `advance` only.
   *
   * @default 0
   */
  readonly latencyMs?: number;
  /** @default this machine's */
  readonly clock?: () => Date;
  /**
   * The share (0 to 1) of rows that expire. Which ones follows from their custom_id, and none expires a second time, so
   * whoever submits them again comes to an end.
   *
   * @default 0
   */
  readonly expireShare?: number;
  /** Whether outputs are in another order than inputs, as OpenAI's are. @default true */
  readonly shuffle?: boolean;
  /** @default OpenAI's limit, 200 MB */
  readonly maxFileBytes?: number;
}
