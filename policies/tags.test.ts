import { describe, expect, it } from 'vitest';
import { NOT_KNOWN_YET, verdict } from '../tests/support/policy_verdict.ts';
import { everythingTagged, TAGGABLE } from './tags.ts';

// Not proved here: that the list of what can be tagged is complete (tests/infra/policies.test.ts does, for this program).

const TAGS = { Project: 'receipt-embeddings', Stack: 'prod', ManagedBy: 'pulumi' };

describe('everything-tagged', () => {
  it.each(TAGGABLE)('wants the tags of the stack on %s', (type) => {
    expect(verdict(everythingTagged, type, { tags: { ...TAGS, Team: 'ours' } })).toStrictEqual([]);
    expect(verdict(everythingTagged, type, {})).toStrictEqual([
      `it (${type}) lacks tags: set Project to receipt-embeddings, Stack to prod, ManagedBy to pulumi.`,
    ]);
  });

  it('names the tags that are missing or say something else', () => {
    const [type = ''] = TAGGABLE;
    expect(verdict(everythingTagged, type, { tags: TAGS }, 'dev')).toStrictEqual([
      `it (${type}) lacks tags: set Stack to dev.`,
    ]);
    expect(
      verdict(everythingTagged, type, { tags: { ...TAGS, ManagedBy: undefined } }),
    ).toStrictEqual([`it (${type}) lacks tags: set ManagedBy to pulumi.`]);
  });

  it('says nothing to what is not known yet, or cannot be tagged', () => {
    const [type = ''] = TAGGABLE;
    expect(verdict(everythingTagged, type, { tags: NOT_KNOWN_YET })).toStrictEqual([]);
    expect(
      verdict(everythingTagged, type, { tags: { ...TAGS, Stack: NOT_KNOWN_YET } }),
    ).toStrictEqual([]);
    expect(verdict(everythingTagged, 'aws:iam/rolePolicy:RolePolicy', {})).toStrictEqual([]);
  });
});
