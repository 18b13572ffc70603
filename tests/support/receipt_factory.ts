import type {
  ReceiptLine,
  ReceiptWord,
  ReceiptWordLabel,
} from 'receipt-embedding/entities/line_and_word';
import type {
  BoundingBox,
  Corners,
  Receipt,
  ReceiptMetadata,
} from 'receipt-embedding/entities/receipt';
import { without } from './without.ts';

/** The image that everything a factory makes is on, unless told otherwise. */
export const IMAGE_ID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';

export const RECEIPT = { image_id: IMAGE_ID, receipt_id: 1 };

interface Placement extends Corners {
  readonly bounding_box: BoundingBox;
}

/** An upright box, normalised, by its bottom left corner and its size: what a line or word spreads in. */
export function box(x: number, y: number, width: number, height: number): Placement {
  return {
    bounding_box: { x, y, width, height },
    top_left: { x, y: y + height },
    top_right: { x: x + width, y: y + height },
    bottom_left: { x, y },
    bottom_right: { x: x + width, y },
  };
}

export function aReceipt(changes: Partial<Receipt> = {}): Receipt {
  return {
    ...RECEIPT,
    width: 600,
    height: 1800,
    timestamp_added: '2025-03-01T10:00:00+00:00',
    raw_s3_bucket: 'images',
    raw_s3_key: 'raw/receipt.png',
    ...without(box(0, 0, 1, 1), 'bounding_box'),
    sha256: null,
    ...changes,
  };
}

const scanned = { angle_degrees: 1.5, angle_radians: 0.026, confidence: 0.9 };

export function aLine(changes: Partial<ReceiptLine> = {}): ReceiptLine {
  return {
    ...RECEIPT,
    line_id: 1,
    text: 'WHOLE MILK 3.99',
    ...box(0.1, 0.5, 0.8, 0.02),
    ...scanned,
    embedding_status: 'NONE',
    is_noise: false,
    ...changes,
  };
}

export function aWord(changes: Partial<ReceiptWord> = {}): ReceiptWord {
  return {
    ...RECEIPT,
    line_id: 1,
    word_id: 1,
    text: 'MILK',
    ...box(0.1, 0.5, 0.2, 0.02),
    ...scanned,
    extracted_data: null,
    embedding_status: 'NONE',
    is_noise: false,
    ...changes,
  };
}

export function aLabel(changes: Partial<ReceiptWordLabel> = {}): ReceiptWordLabel {
  return {
    ...RECEIPT,
    line_id: 1,
    word_id: 1,
    label: 'PRODUCT_NAME',
    validation_status: 'VALID',
    timestamp_added: '2025-03-01T10:00:00+00:00',
    label_proposed_by: null,
    label_consolidated_from: null,
    reasoning: null,
    ...changes,
  };
}

export function aMetadata(changes: Partial<ReceiptMetadata> = {}): ReceiptMetadata {
  return {
    ...RECEIPT,
    merchant_name: 'Corner Market #12',
    canonical_merchant_name: null,
    place_id: 'place-1',
    address: null,
    phone_number: null,
    validation_status: 'MATCHED',
    ...changes,
  };
}
