import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aLabel } from '../../../tests/support/receipt_factory.ts';
import { VALIDATION_STATUSES } from '../entities/receipt_word_label.ts';
import { labelMetadata } from './label_metadata.ts';

describe('the label status of a word', () => {
  it.each([
    [[], 'unvalidated'],
    [['NONE'], 'unvalidated'],
    [['INVALID'], 'unvalidated'],
    [['NEEDS_REVIEW'], 'unvalidated'],
    [['PENDING'], 'auto_suggested'],
    [['PENDING', 'INVALID', 'NEEDS_REVIEW', 'NONE'], 'auto_suggested'],
    [['VALID'], 'validated'],
    [['PENDING', 'INVALID', 'VALID'], 'validated'],
  ] as const)('of labels %j is %s', (statuses, expected) => {
    const labels = statuses.map((validation_status, at) =>
      aLabel({ label: `LABEL_${at}`, validation_status }),
    );

    expect(labelMetadata(labels).label_status).toBe(expected);
  });
});

describe('what a word’s labels say', () => {
  it('lists valid and invalid labels sorted, each in its own list', () => {
    const labels = [
      aLabel({ label: 'TIME', validation_status: 'VALID' }),
      aLabel({ label: 'TAX', validation_status: 'INVALID' }),
      aLabel({ label: 'DATE', validation_status: 'VALID', timestamp_added: '2026-01-01T00:00:00' }),
      aLabel({ label: 'COUPON', validation_status: 'INVALID' }),
      aLabel({ label: 'QUANTITY', validation_status: 'NEEDS_REVIEW' }),
    ];

    expect(labelMetadata(labels)).toStrictEqual({
      label_status: 'validated',
      validated_labels: ['DATE', 'TIME'],
      invalid_labels: ['COUPON', 'TAX'],
      label_validated_at: '2026-01-01T00:00:00+00:00',
    });
  });

  it('says nothing of proposer or validation for a word without labels', () => {
    expect(labelMetadata([])).toStrictEqual({
      label_status: 'unvalidated',
      validated_labels: [],
      invalid_labels: [],
    });
  });

  it('names the proposer of the newest pending label, by instant and not by text', () => {
    const labels = [
      aLabel({
        label: 'A',
        validation_status: 'PENDING',
        label_proposed_by: 'newer',
        timestamp_added: '2025-03-01T23:00:00-05:00',
      }),
      aLabel({
        label: 'B',
        validation_status: 'PENDING',
        label_proposed_by: 'older',
        timestamp_added: '2025-03-02T01:00:00+00:00',
      }),
      aLabel({
        label: 'C',
        validation_status: 'VALID',
        label_proposed_by: 'of a valid one',
        timestamp_added: '2025-03-09T01:00:00+00:00',
      }),
    ];

    expect(labelMetadata(labels)).toStrictEqual({
      label_status: 'validated',
      validated_labels: ['C'],
      invalid_labels: [],
      label_proposed_by: 'newer',
      label_validated_at: '2025-03-09T01:00:00+00:00',
    });
  });

  it('says nothing of a proposer where the newest pending label names none', () => {
    const labels = [
      aLabel({ label: 'A', validation_status: 'PENDING', label_proposed_by: 'older' }),
      aLabel({ label: 'B', validation_status: 'PENDING', timestamp_added: '2026-01-01' }),
    ];

    expect(labelMetadata(labels)).not.toHaveProperty('label_proposed_by');
  });

  it('is the same whatever the order in which the labels came', () => {
    const label = fc.record({
      label: fc.constantFrom('A', 'B', 'C', 'D', 'E', 'F'),
      validation_status: fc.constantFrom(...VALIDATION_STATUSES),
      label_proposed_by: fc.constantFrom(null, 'x', 'y'),
      timestamp_added: fc.constantFrom('2025-03-01', '2025-03-01T00:00:00+00:00', '2025-03-02'),
    });
    const labels = fc.uniqueArray(label, { selector: (each) => each.label, minLength: 2 });
    const shuffled = labels.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(labelMetadata(other.map(aLabel))).toStrictEqual(labelMetadata(one.map(aLabel)));
      }),
    );
  });
});
