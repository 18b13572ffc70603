import { createHash } from 'node:crypto';
import type { RowKey } from '../entities/keys.ts';
import { BULK } from '../retry.ts';
import { getRow, type Table, updateRow } from './table.ts';

/** The batches that OpenAI refused a line or word in, for a reason that is not known here; each with a hash of the text of then. */
export const REFUSAL_ATTRIBUTE = 'embedding_refused_in';

/**
 * So many batches may be refused a line or word for a reason that no table explains. In the first ones the account may be to blame, and
 * another day's batch succeed. A text that is refused in one more is taken to be the reason: otherwise every submission asked for it, for ever.
 */
export const MOST_UNEXPLAINED = 3;

/**
 * Notes on a line or word that a batch of ours was refused it, once for each batch, whatever is repeated.
 *
 * @param text what the batch has asked for: a row that says something else by now is left alone.
 * @returns how many batches were refused it, this one included; 0 where the row is gone, edited, or another batch's.
 * @example
 * ```ts
 * await noteUnexplained(table, { PK: 'IMAGE#3f52…', SK: 'RECEIPT#00001#LINE#00001' }, 'MILK 3.99', batchId); // 1
 * ```
 */
export async function noteUnexplained(
  table: Table,
  key: RowKey,
  text: string,
  batchId: string,
): Promise<number> {
  const ofText = `${createHash('sha256').update(text).digest('hex').slice(0, 16)}#`;
  const noted = await updateRow(
    table,
    key,
    {
      UpdateExpression: `ADD ${REFUSAL_ATTRIBUTE} :batches`,
      ConditionExpression: '#text = :text AND embedding_batch_id = :batch',
      ExpressionAttributeNames: { '#text': 'text' },
      values: { batches: new Set([`${ofText}${batchId}`]), batch: batchId, text },
    },
    BULK,
  );
  if (!noted) return 0;
  const row = await getRow(table, key, {
    ConsistentRead: true,
    ProjectionExpression: REFUSAL_ATTRIBUTE,
  });
  const batches = row?.[REFUSAL_ATTRIBUTE] as ReadonlySet<string> | undefined;
  return [...(batches ?? [])].filter((batch) => batch.startsWith(ofText)).length;
}
