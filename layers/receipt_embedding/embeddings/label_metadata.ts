import type { ReceiptWordLabel } from '../entities/receipt_word_label.ts';
import { epochMilliseconds, withOffset } from '../entities/timestamp.ts';
import type { WordMetadata } from '../vectors/vector_metadata.ts';

type LabelMetadata = Pick<
  WordMetadata,
  | 'label_status'
  | 'validated_labels'
  | 'invalid_labels'
  | 'label_proposed_by'
  | 'label_validated_at'
>;

/** What a word's own labels say about it. */
export function labelMetadata(labels: readonly ReceiptWordLabel[]): LabelMetadata {
  const valid = withStatus(labels, 'VALID');
  const pending = withStatus(labels, 'PENDING');
  const proposedBy = pending.at(-1)?.label_proposed_by ?? undefined;
  const validatedAt = valid.at(-1)?.timestamp_added;
  return {
    label_status:
      valid.length > 0 ? 'validated' : pending.length > 0 ? 'auto_suggested' : 'unvalidated',
    validated_labels: names(valid),
    invalid_labels: names(withStatus(labels, 'INVALID')),
    ...(proposedBy === undefined ? {} : { label_proposed_by: proposedBy }),
    ...(validatedAt === undefined ? {} : { label_validated_at: withOffset(validatedAt) }),
  };
}

/** Oldest first; labels of the same instant by name, so that the newest is always the same one. */
function withStatus(
  labels: readonly ReceiptWordLabel[],
  status: ReceiptWordLabel['validation_status'],
): ReceiptWordLabel[] {
  return labels
    .filter(({ validation_status }) => validation_status === status)
    .sort(
      (a, b) =>
        epochMilliseconds(a.timestamp_added) - epochMilliseconds(b.timestamp_added) ||
        (a.label < b.label ? -1 : 1),
    );
}

function names(labels: readonly ReceiptWordLabel[]): string[] {
  return labels.map(({ label }) => label).sort();
}
