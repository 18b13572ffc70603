import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentId, contentPart, repeatedId } from './content_id.ts';

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the id of a content', () => {
  it('is the same for a text and for a hash that was fed with it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (content) => {
        const id = contentId(content);

        expect(id).toMatch(VERSION_4);
        expect(contentId(createHash('sha256').update(content))).toBe(id);
      }),
    );
  });
});

describe('a repeated id', () => {
  const id = '0b7e3f3a-1111-4222-8333-444455556666';

  it('keeps the part that says what the content is', () => {
    expect(contentPart(id)).toBe('0b7e3f3a-1111-4222-8333-');
    expect(contentPart(repeatedId(id, 'forced'))).toBe(contentPart(id));
  });

  it('has one id for one occasion, and another for another', () => {
    const ids = ['forced by a', 'forced by a', 'forced by b'].map((why) => repeatedId(id, why));

    expect(new Set([id, ...ids]).size).toBe(3);
    expect(ids[0]).toBe(ids[1]);
  });

  it('has the shape of a version-4 UUID, whatever the occasion', () => {
    fc.assert(
      fc.property(fc.string(), (occasion) => {
        expect(repeatedId(id, occasion)).toMatch(VERSION_4);
      }),
    );
  });
});
