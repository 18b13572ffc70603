import { receiptLineCodec, receiptWordCodec } from 'receipt-embedding/entities/line_and_word';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { aLine, aWord } from '../../../tests/support/receipt_factory.ts';
import {
  insertUnits,
  measureRow,
  readUnits,
  rowBytes,
  statusChangeUnits,
  writeUnits,
} from './measured_receipt.ts';

describe('the size of a row', () => {
  // Each attribute is called `a`, which is the first byte.
  it.each([
    ['a text', 'naïve', 1 + 6],
    ['a whole number', 1234, 1 + 3],
    ['a number with zeros at its end', 1_200_000, 1 + 2],
    ['a fraction', -0.000_125, 1 + 3],
    ['zero', 0, 1 + 1],
    ['a yes or no', true, 1 + 1],
    ['nothing', null, 1 + 1],
    ['a set of texts', new Set(['one', 'two']), 1 + 6],
    ['a list', ['one', 2], 1 + 3 + 2 + 3 + 2],
    ['a map', { x: 0.5, y: 'up' }, 1 + 3 + 2 + 1 + 2 + 1 + 2],
  ])('counts %s as DynamoDB does', (_, value, bytes) => {
    expect(rowBytes({ a: value })).toBe(bytes);
  });

  it('leaves out what is not written', () => {
    expect(rowBytes({ a: undefined })).toBe(0);
  });
});

describe('request units', () => {
  it.each([
    [1, 1],
    [1_024, 1],
    [1_025, 2],
    [10_240, 10],
  ])('of writing %d bytes are %d', (bytes, units) => {
    expect(writeUnits(bytes)).toBe(units);
  });

  it.each([
    [0, 0.5, 1],
    [4_096, 0.5, 1],
    [4_097, 1, 2],
    [40_960, 5, 10],
  ])('of reading %d bytes are %d, or consistently %d', (bytes, eventual, strong) => {
    expect([readUnits(bytes), readUnits(bytes, 'strong')]).toStrictEqual([eventual, strong]);
  });

  it('count a row and each copy of it in an index: a line has three, a word four', () => {
    const line = measureRow(z.encode(receiptLineCodec, aLine()));
    const word = measureRow(z.encode(receiptWordCodec, aWord()));

    expect([line.copies, word.copies]).toStrictEqual([3, 4]);
    expect([insertUnits(line), insertUnits(word)]).toStrictEqual([4, 5]);
  });

  it('of another status are two more for the index whose hash it is', () => {
    const row = { bytes: 700, copies: 4 };

    expect(statusChangeUnits(row, 'NONE', 'NONE', 'SUCCESS')).toBe(6);
  });

  it('go by the larger row: with its claim this one is above a kilobyte', () => {
    const row = { bytes: 1_000, copies: 4 };

    // The row and three copies with two units each; out of the index with two, and into it with one.
    expect(statusChangeUnits(row, 'NONE', 'PENDING', 'SUCCESS')).toBe(11);
    expect(statusChangeUnits(row, 'NONE', 'NONE', 'SUCCESS')).toBe(6);
  });
});
