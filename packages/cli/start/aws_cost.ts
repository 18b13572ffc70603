import { STORES } from 'receipt-embedding/stores/open_stores';
import { type ReceiptIdentity, receiptPath } from 'receipt-embedding/entities/keys';
import type { EmbeddingStatus } from 'receipt-embedding/entities/line_and_word';
import type { StoreName } from 'receipt-embedding/stores/vector_store';
import { listReceipts } from 'receipt-embedding/table/receipt_listing';
import { settingsSchema } from '../../../components/settings.ts';
import type { Screen } from '../command_line/screen.ts';
import type { Costs } from '../estimate/costs.ts';
import { estimate, type Estimate, type EstimateSettings } from '../estimate/estimate.ts';
import { type ReceiptSource, tableSource } from '../estimate/receipt_source.ts';
import { serviceLines } from '../estimate/report.ts';
import { SILENT_LOGGER } from '../table/silent_logger.ts';
import type { LocalStack } from '../local_stack.ts';
import type { StartOptions } from './options.ts';
import type { ReceiptLimits } from './run.ts';

/** What a run would cost on AWS, US dollars by service; null for a workflow that does not run. */
export interface RunCost {
  readonly prices: Estimate['prices'];
  readonly realtime: Costs | null;
  readonly batch: Costs | null;
  readonly total: number;
}

/**
 * Estimates a run before it begins, as `receipts estimate` does: afterwards nothing is left to embed. Each workflow is
 * estimated over the receipts that it will take.
 */
export async function estimateRun(
  { table, aws, embeddingModel }: LocalStack,
  { filter, maxConcurrency }: Pick<StartOptions, 'filter' | 'maxConcurrency'>,
  limits: ReceiptLimits,
): Promise<RunCost> {
  const defaults = settingsSchema.parse({});
  const stores = String(aws.deployment.outputs['vector_stores']).split(',');
  const settings: Omit<EstimateSettings, 'filter'> = {
    model: embeddingModel.model,
    dimensions: embeddingModel.dimensions,
    types: ['LINE_EMBEDDING', 'WORD_EMBEDDING'],
    maxConcurrency: maxConcurrency ?? defaults.max_concurrency,
    childExecutionType: defaults.child_execution_type,
    batchMaxTokens: defaults.batch_max_tokens,
    batchMaxConcurrency: defaults.batch_max_concurrency,
    stores: stores.filter((name): name is StoreName => name in STORES),
  };
  const source = tableSource(table, { count: 0 });
  const of = async (part: ReceiptSource, most: number | undefined, status: EmbeddingStatus) =>
    most === 0
      ? undefined
      : await estimate(first(part, most), { ...settings, filter: status }, () => undefined);
  // Without a filter the workflow takes the receipts in the order of their own index.
  const listed =
    filter === undefined && limits.realtime !== undefined
      ? await firstListed(table, limits.realtime)
      : undefined;
  const taken = new Set<string>();
  const ofRealtime = noted(
    listed === undefined ? source : only(source, (receipt) => listed.has(receiptPath(receipt))),
    taken,
  );
  const realtime = await of(ofRealtime, limits.realtime, filter ?? 'NONE');
  const left = only(source, (receipt) => !taken.has(receiptPath(receipt)));
  const batch = await of(left, limits.batch, 'NONE');
  const usd = { realtime: realtime?.realtime.usd ?? null, batch: batch?.batch.usd ?? null };
  const prices = (realtime ?? batch)?.prices ?? { as_of: '', region: '' };
  return { prices, ...usd, total: (usd.realtime?.total ?? 0) + (usd.batch?.total ?? 0) };
}

/** The receipts that an execution without a filter takes, as their paths. */
async function firstListed(table: LocalStack['table'], most: number): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const receipt of listReceipts(table, undefined, { count: 0 }, SILENT_LOGGER)) {
    found.add(receiptPath(receipt));
    if (found.size === most) break;
  }
  return found;
}

function only(
  source: ReceiptSource,
  isWanted: (receipt: ReceiptIdentity) => boolean,
): ReceiptSource {
  return {
    ...source,
    receipts: async function* (status) {
      for await (const receipt of source.receipts(status)) if (isWanted(receipt)) yield receipt;
    },
  };
}

function first(source: ReceiptSource, most = Infinity): ReceiptSource {
  return {
    ...source,
    receipts: async function* (status) {
      let left = most;
      for await (const receipt of source.receipts(status)) {
        if (left-- > 0) yield receipt;
        else return;
      }
    },
  };
}

/** Writes down which receipts were read. */
function noted(source: ReceiptSource, taken: Set<string>): ReceiptSource {
  return {
    ...source,
    readRows: async (receipt) => {
      taken.add(receiptPath(receipt));
      return await source.readRows(receipt);
    },
  };
}

/** The whole sum, by service. */
export function reportCost(screen: Screen, { prices, realtime, batch, total }: RunCost): void {
  if (total === 0) return;
  screen.line();
  screen.heading('What this would have cost on AWS');
  screen.lines(serviceLines({ ...(realtime && { realtime }), ...(batch && { batches: batch }) }));
  screen.line(
    `  As \`receipts estimate\` counts it: list prices of ${prices.as_of} in ${prices.region}.`,
  );
}
