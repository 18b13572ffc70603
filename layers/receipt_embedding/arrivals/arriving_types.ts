/**
 * The types of rows (docs/data_model.md §1) whose changes change what is embedded of a receipt, or with it. Of an image's other rows, its
 * letters above all, none is looked at. Data alone, for the deployment too: the table's stream is filtered by them.
 */
export const ARRIVING_TYPES = [
  'RECEIPT_LINE',
  'RECEIPT_WORD',
  'RECEIPT_WORD_LABEL',
  'RECEIPT_METADATA',
] as const;
