import { marshall } from '@aws-sdk/util-dynamodb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedReceipts, changeOf, streamRecordSchema } from './changed_receipts.ts';

const IMAGE = '3f52804b-2fad-4e00-92c8-b593da3a8ed3';
const PK = `IMAGE#${IMAGE}`;

type Row = Readonly<Record<string, unknown>>;

/** A record of the row `SK`, before and after a write. */
const record = (SequenceNumber: string, SK: string, before?: Row, after?: Row, hash = PK) =>
  streamRecordSchema.parse({
    eventName: 'of no matter',
    dynamodb: {
      Keys: marshall({ PK: hash, SK }),
      ...(before === undefined ? {} : { OldImage: marshall({ PK: hash, SK, ...before }) }),
      ...(after === undefined ? {} : { NewImage: marshall({ PK: hash, SK, ...after }) }),
      SequenceNumber,
    },
  });

const LINE = { TYPE: 'RECEIPT_LINE', text: 'MILK 3.99', embedding_status: 'NONE' };
const line = (number: string, before?: Row, after?: Row) =>
  record(number, 'RECEIPT#00001#LINE#00001', before, after);

const changed = (receipt_id: number, first: string, last = first) => ({
  image_id: IMAGE,
  receipt_id,
  first,
  change: changeOf(last),
});

describe('a receipt has changed', () => {
  it.each([
    ['RECEIPT#00007#LINE#00001', 'RECEIPT_LINE'],
    ['RECEIPT#00007#LINE#00001#WORD#00002', 'RECEIPT_WORD'],
    ['RECEIPT#00007#LINE#00001#WORD#00002#LABEL#TOTAL', 'RECEIPT_WORD_LABEL'],
    ['RECEIPT#00007#METADATA', 'RECEIPT_METADATA'],
  ])('when its row %s comes, changes or goes', (SK, TYPE) => {
    for (const [before, after] of [
      [undefined, { TYPE, text: 'a' }],
      [
        { TYPE, text: 'a' },
        { TYPE, text: 'b' },
      ],
      [{ TYPE, text: 'a' }, undefined],
    ]) {
      expect(changedReceipts([record('12', SK, before, after)])).toStrictEqual({
        receipts: [changed(7, '12')],
        invalid: [],
        own: 0,
      });
    }
  });

  it('once, however many of its rows have, with its first and its newest change in any order', () => {
    const records = [
      line('100', undefined, LINE),
      record('99', 'RECEIPT#00002#LINE#00001', undefined, LINE),
      record('101', 'RECEIPT#00001#LINE#00002', undefined, LINE),
      line('9', undefined, LINE),
    ];
    expect(changedReceipts(records).receipts).toStrictEqual([
      changed(1, '9', '101'),
      changed(2, '99'),
    ]);
  });

  it('not, when another row of its image has', () => {
    const other = record('1', 'RECEIPT#00001#LINE#00001#WORD#00001#LETTER#00001', undefined, {
      TYPE: 'RECEIPT_LETTER',
    });
    expect(changedReceipts([other])).toStrictEqual({ receipts: [], invalid: [], own: 0 });
  });
});

describe('our own writes', () => {
  const CLAIMED = {
    ...LINE,
    embedding_status: 'PENDING',
    GSI1PK: 'EMBEDDING_STATUS#PENDING',
    embedding_batch_id: 'b',
  };

  it.each([
    ['a claim', LINE, CLAIMED],
    [
      'a status',
      CLAIMED,
      { ...LINE, embedding_status: 'SUCCESS', GSI1PK: 'EMBEDDING_STATUS#SUCCESS' },
    ],
    ['a refusal', CLAIMED, { ...CLAIMED, embedding_refused_in: new Set(['a']) }],
    [
      'the status of a legacy row',
      { TYPE: 'RECEIPT_LINE', text: 'a' },
      { TYPE: 'RECEIPT_LINE', text: 'a', embedding_status: 'SUCCESS' },
    ],
  ])('change nothing: %s', (_, before, after) => {
    expect(changedReceipts([line('1', before, after)])).toStrictEqual({
      receipts: [],
      invalid: [],
      own: 1,
    });
  });

  it('hide no edit that comes with them', () => {
    const edited = { ...CLAIMED, text: 'MILK 4.99' };
    expect(changedReceipts([line('1', LINE, edited)]).receipts).toStrictEqual([changed(1, '1')]);
  });
});

describe('a row whose key names no receipt', () => {
  it.each([
    ['IMAGE#no-uuid', 'RECEIPT#00001#LINE#00001'],
    [PK, 'RECEIPT#1#LINE#00001'],
    [PK, 'LINE#00001'],
    [PK, ''],
  ])('is named, and keeps no other from being seen: %s %s', (hash, SK) => {
    const poisoned = record('1', SK, undefined, LINE, hash);
    expect(changedReceipts([poisoned, line('2', undefined, LINE)])).toStrictEqual({
      receipts: [changed(1, '2')],
      invalid: [{ PK: hash, SK }],
      own: 0,
    });
  });
});

describe('changes', () => {
  it('sort as their sequence numbers count, up to 40 digits', () => {
    const number = fc.bigInt({ min: 1n, max: 10n ** 40n - 1n });
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(changeOf(String(a)) < changeOf(String(b))).toBe(a < b);
      }),
    );
  });
});
