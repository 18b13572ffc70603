/** Where an execution's files lie in the ChromaDB bucket; `*` for the name gives the pattern of all executions'. */
export const RUN_FILES = {
  prefix: 'runs/',
  /** The list of receipts, which find_receipts_realtime writes and the Map reads. */
  manifest: (executionName: string): string => `runs/${executionName}/receipts.jsonl`,
  /** The folder of the Map's results, which its ResultWriter writes and summarize_realtime_run reads. */
  results: (executionName: string): string => `runs/${executionName}/results`,
} as const;
