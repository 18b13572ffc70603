import type { MetricName } from 'receipt-embedding/ports';
import type { FunctionName } from '../function_names.ts';
import type { AlarmDefinition } from './alarm.ts';
import { type Metric, ownMetric } from './metrics.ts';
import { type MonitoredFunctions, ROW_READERS } from './monitored.ts';

const FIVE_MINUTES = 300;
const QUARTER_HOUR = 900;
const HOUR = 3_600;
/** OpenAI ends a batch after 24 hours; two more are for the polls. */
const BATCH_HOURS = 26;
/** In a quarter of an hour. A lookup may fail now and then; the receipt then goes without a merchant. */
const TOLERATED_LOOKUP_FAILURES = 5;

/** What is watched of the data's way, as the functions count it themselves. */
export function pipelineAlarms(functions: MonitoredFunctions): readonly AlarmDefinition[] {
  const counted = (
    name: MetricName,
    by: readonly FunctionName[],
    statistic: Metric['statistic'] = 'Sum',
  ): readonly Metric[] =>
    by.flatMap((each) => {
      const deployed = functions[each];
      return deployed === undefined ? [] : [ownMetric(deployed.functionName, name, statistic)];
    });
  const summarized = (
    name: MetricName,
    workflows: readonly ('realtime' | 'batch_submit' | 'batch_poll')[],
  ): readonly Metric[] => {
    const { summarize_execution: summarize } = functions;
    if (summarize === undefined) return [];
    return workflows.map((workflow) =>
      ownMetric(summarize.functionName, name, 'Sum', { workflow }),
    );
  };
  const definitions: readonly AlarmDefinition[] = [
    {
      kind: 'receipts-failed',
      meaning: 'Receipts could not be embedded by the realtime workflow.',
      metrics: summarized('ReceiptsFailed', ['realtime']),
      periodSeconds: FIVE_MINUTES,
      threshold: 1,
    },
    {
      kind: 'batches-failed',
      meaning: 'Batches could not be submitted, or not be brought to an end.',
      metrics:
        functions.plan_batches === undefined
          ? []
          : summarized('BatchesFailed', ['batch_submit', 'batch_poll']),
      periodSeconds: FIVE_MINUTES,
      threshold: 1,
    },
    {
      kind: 'batch-rows-failed',
      meaning: 'OpenAI refused lines or words of a batch; they are FAILED in the table.',
      metrics: counted('BatchRowsFailed', ['mark_batch_complete']),
      periodSeconds: FIVE_MINUTES,
      threshold: 1,
    },
    {
      kind: 'oldest-pending-batch',
      meaning: `A batch has been pending for ${BATCH_HOURS} hours or longer.`,
      metrics: counted('OldestPendingBatchAge', ['list_pending_batches'], 'Maximum'),
      periodSeconds: HOUR,
      threshold: BATCH_HOURS * HOUR,
    },
    {
      kind: 'invalid-rows',
      meaning: 'Rows of the table could not be read, and were left out.',
      metrics: counted('InvalidRows', ROW_READERS),
      periodSeconds: FIVE_MINUTES,
      threshold: 1,
    },
    {
      kind: 'merchant-lookups-failed',
      meaning: 'Merchants could not be looked up; receipts were embedded without.',
      metrics: counted('MerchantLookupsFailed', ['process_receipt_realtime']),
      periodSeconds: QUARTER_HOUR,
      threshold: TOLERATED_LOOKUP_FAILURES,
    },
  ];
  return definitions.filter(({ metrics }) => metrics.length > 0).map(summed);
}

/** What several functions count is added up; one that has counted nothing counts as 0. */
function summed(definition: AlarmDefinition): AlarmDefinition {
  if (definition.metrics.length === 1) return definition;
  const terms = definition.metrics.map((_, at) => `FILL(m${at}, 0)`);
  return { ...definition, expression: terms.join(' + ') };
}
