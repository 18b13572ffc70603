import { describe, expect, it } from 'vitest';
import { eventPattern } from './event_pattern.ts';

const RECORD = {
  eventName: 'MODIFY',
  dynamodb: {
    SizeBytes: 12,
    NewImage: {
      TYPE: { S: 'RECEIPT_LINE' },
      words: { L: [{ S: 'a' }, { S: 'b' }] },
      done: { BOOL: true },
      gone: { NULL: null },
      empty: { S: '' },
    },
  },
};

const ofType = (alternatives: unknown): object => ({
  dynamodb: { NewImage: { TYPE: { S: alternatives } } },
});

describe('a pattern', () => {
  it.each<[string, object, boolean]>([
    ['a value', { eventName: ['MODIFY'] }, true],
    ['one of several values', { eventName: ['INSERT', 'MODIFY'] }, true],
    ['another value', { eventName: ['REMOVE'] }, false],
    ['a value of other letters', { eventName: ['modify'] }, false],
    ['all of its fields', { eventName: ['MODIFY'], ...ofType(['RECEIPT_LINE']) }, true],
    ['one of its fields alone', { eventName: ['MODIFY'], ...ofType(['WORD']) }, false],
    ['one of two patterns', { $or: [{ eventName: ['INSERT'] }, ofType(['RECEIPT_LINE'])] }, true],
    ['none of two patterns', { $or: [{ eventName: ['INSERT'] }, ofType(['WORD'])] }, false],
    ['a number', { dynamodb: { SizeBytes: [12] } }, true],
    ['a number in quotes', { dynamodb: { SizeBytes: ['12'] } }, false],
    ['true', { dynamodb: { NewImage: { done: { BOOL: [true] } } } }, true],
    ['null', { dynamodb: { NewImage: { gone: { NULL: [null] } } } }, true],
    ['an empty text', { dynamodb: { NewImage: { empty: { S: [''] } } } }, true],
    ['an element of a list', { dynamodb: { NewImage: { words: { L: { S: ['b'] } } } } }, true],
    ['no element of a list', { dynamodb: { NewImage: { words: { L: { S: ['c'] } } } } }, false],
    ['a field that is not there', { dynamodb: { OldImage: { TYPE: { S: ['x'] } } } }, false],
    ['a prefix', ofType([{ prefix: 'RECEIPT_' }]), true],
    ['another prefix', ofType([{ prefix: 'LINE' }]), false],
    ['a suffix', ofType([{ suffix: '_LINE' }]), true],
    ['a value whatever its letters', ofType([{ 'equals-ignore-case': 'receipt_line' }]), true],
    ['anything but another value', ofType([{ 'anything-but': 'WORD' }]), true],
    ['anything but this value', ofType([{ 'anything-but': ['WORD', 'RECEIPT_LINE'] }]), false],
    ['anything but a prefix', ofType([{ 'anything-but': { prefix: 'RECEIPT' } }]), false],
    [
      'anything but, of a field that is not there',
      { dynamodb: { OldImage: { TYPE: { S: [{ 'anything-but': 'x' }] } } } },
      false,
    ],
    ['what exists', ofType([{ exists: true }]), true],
    ['what exists not, though it does', ofType([{ exists: false }]), false],
    ['what exists not', { dynamodb: { OldImage: { TYPE: { S: [{ exists: false }] } } } }, true],
    // Patterns see leaves alone.
    ['an object that exists', { dynamodb: { NewImage: [{ exists: true }] } }, false],
    ['an object that exists not', { dynamodb: { NewImage: [{ exists: false }] } }, true],
    ['a range of numbers', { dynamodb: { SizeBytes: [{ numeric: ['>', 0, '<=', 12] }] } }, true],
    ['another range', { dynamodb: { SizeBytes: [{ numeric: ['>', 12] }] } }, false],
    ['a text as a number', ofType([{ numeric: ['=', 0] }]), false],
  ])('of %s', (_, pattern, expected) => {
    expect(eventPattern(JSON.stringify(pattern))(RECORD)).toBe(expected);
  });

  it.each<[string, unknown]>([
    ['no object', ['MODIFY']],
    ['no fields', {}],
    ['a value that is not in a list', { eventName: 'MODIFY' }],
    ['no alternative', { eventName: [] }],
    ['a list in a list', { eventName: [['MODIFY']] }],
    ['an unknown operator', { eventName: [{ wildcard: 'M*' }] }],
    ['two operators in one', { eventName: [{ prefix: 'M', suffix: 'Y' }] }],
    ['an operand of another kind', { eventName: [{ prefix: 1 }] }],
    ['an unknown comparison', { dynamodb: { SizeBytes: [{ numeric: ['!=', 1] }] } }],
    ['anything but nothing', { eventName: [{ 'anything-but': [] }] }],
    ['alternatives that are none', { $or: [] }],
    ['more than 4,096 characters', { eventName: ['x'.repeat(4_096)] }],
  ])('with %s is refused', (_, pattern) => {
    expect(() => eventPattern(JSON.stringify(pattern))).toThrow(/filter/);
  });
});
