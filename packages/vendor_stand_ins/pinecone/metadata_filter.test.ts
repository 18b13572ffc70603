import { describe, expect, it } from 'vitest';
import { readFilter } from './metadata_filter.ts';

const milk = { text: 'MILK', receipt_id: 7, taxed: false, labels: ['DATE', 'TAX'] };

describe('a metadata filter', () => {
  it.each([
    [{ text: 'MILK' }, true],
    [{ text: 'BREAD' }, false],
    [{ receipt_id: 7, text: 'MILK' }, true],
    [{ receipt_id: 7, text: 'BREAD' }, false],
    [{ receipt_id: '7' }, false],
    [{ taxed: false }, true],
    [{ absent: 'x' }, false],
    [{ text: { $eq: 'MILK' } }, true],
    [{ text: { $ne: 'MILK' } }, false],
    [{ absent: { $ne: 'x' } }, true],
    [{ receipt_id: { $gt: 7 } }, false],
    [{ receipt_id: { $gte: 7 } }, true],
    [{ receipt_id: { $lt: 7 } }, false],
    [{ receipt_id: { $lte: 7 } }, true],
    [{ receipt_id: { $gt: 6, $lt: 8 } }, true],
    [{ receipt_id: { $gt: 6, $lt: 7 } }, false],
    [{ text: { $gt: 1 } }, false],
    [{ text: { $in: ['BREAD', 'MILK'] } }, true],
    [{ text: { $in: ['BREAD'] } }, false],
    [{ text: { $nin: ['BREAD'] } }, true],
    [{ text: { $nin: ['MILK'] } }, false],
    [{ labels: 'TAX' }, true],
    [{ labels: { $ne: 'TAX' } }, false],
    [{ labels: { $in: ['TAX', 'TIME'] } }, true],
    [{ labels: { $nin: ['TIME'] } }, true],
    [{ text: { $exists: true } }, true],
    [{ absent: { $exists: true } }, false],
    [{ absent: { $exists: false } }, true],
    [{ $and: [{ text: 'MILK' }, { receipt_id: 8 }] }, false],
    [{ $or: [{ text: 'BREAD' }, { receipt_id: 7 }] }, true],
    [{ $or: [{ text: 'BREAD' }, { $and: [{ taxed: true }] }] }, false],
    [undefined, true],
  ])('%j: %s', (filter, passes) => {
    expect(readFilter(filter)(milk)).toBe(passes);
  });

  it.each([
    ['MILK', 'filter must be an object'],
    [{ $not: [] }, '$not is no operator between filters'],
    [{ $or: {} }, '$or takes a list of filters'],
    [{ text: { $like: 'M' } }, '$like is no valid operator'],
    [{ text: { $gt: 'M' } }, '$gt takes a number'],
    [{ text: { $in: 'MILK' } }, '$in takes a list'],
  ])('that is none is refused: %j', (filter, message) => {
    expect(() => readFilter(filter)).toThrow(message);
  });
});
