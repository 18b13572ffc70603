/** What the summaries of all workflows have alike, where every item has come to its end. */
export const NOTHING_FAILED = {
  failed: 0,
  not_tried: 0,
  stopped: null,
  failed_percentage: 0,
  failures: [],
  failures_by_reason: {},
  invalid_rows: 0,
  results: { bucket: 'files', key: 'results/manifest.json' },
};
