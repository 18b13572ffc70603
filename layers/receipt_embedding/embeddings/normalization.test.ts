import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeAddress, normalizePhone, normalizeUrl } from './normalization.ts';

describe('a phone number', () => {
  it.each([
    ['(555) 123-4567', '5551234567'],
    ['555.123.4567', '5551234567'],
    ['+1 555 123 4567', '5551234567'],
    ['15551234567', '5551234567'],
    ['1551234567', '1551234567'],
    ['25551234567', undefined],
    ['555-1234', undefined],
    ['555 123 4567 89', undefined],
    ['000-000-0000', undefined],
    ['1 555 555 5555', undefined],
    ['', undefined],
    ['TEL', undefined],
  ])('%j is normalised to %j', (text, normalized) => {
    expect(normalizePhone(text)).toBe(normalized);
  });

  it('is ten digits, or nothing', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9() +x-]*$/), (text) => {
        expect(normalizePhone(text) ?? '0123456789').toMatch(/^\d{10}$/);
      }),
    );
  });
});

describe('an address', () => {
  it.each([
    ['12 main street', '12 MAIN ST'],
    ['12 Mill Road', '12 MILL RD'],
    ['12 Park Avenue', '12 PARK AVE'],
    ['12 Sunset Boulevard', '12 SUNSET BLVD'],
    ['12 Ocean Drive', '12 OCEAN DR'],
    ['12 Penny Lane', '12 PENNY LN'],
    ['12 Coast Highway', '12 COAST HWY'],
    ['12 Garden Parkway', '12 GARDEN PKWY'],
    ['12 Main St, Suite 4', '12 MAIN ST STE 4'],
    ['12 Oak Blvd., Springfield, CA 90000', '12 OAK BLVD SPRINGFIELD CA 90000'],
    ['12 Oak Boulevard, Springfield', '12 OAK BLVD SPRINGFIELD'],
    ['12 Oak Street/Elm Road', '12 OAK STREET/ELM RD'],
    // A token that is nothing but punctuation leaves its place: so the existing collections have it.
    ['12 Main St - Springfield', '12 MAIN ST  SPRINGFIELD'],
    ['12 Main St Apartment 4', '12 MAIN ST APT 4'],
    ['12 Streetwise Place', '12 STREETWISE PLACE'],
    ['12 Élane', '12 ÉLANE'],
    ['12 Laneé', '12 LANEÉ'],
    ['  12   Main\n\tSt ', '12 MAIN ST'],
    [' ,.;:|/\\-12 Main St.- ;', '12 MAIN ST'],
    ['12 Main Street.', '12 MAIN ST'],
    ['12-14 Main St', '12-14 MAIN ST'],
    ['', undefined],
    [' .,-', undefined],
  ])('%j is normalised to %j', (text, normalized) => {
    expect(normalizeAddress(text)).toBe(normalized);
  });

  it('that is normalised already stays as it is', () => {
    const words = fc.constantFrom('12', 'Main', 'street', 'STE', 'lane,', '-St.', 'Ñandú');
    fc.assert(
      fc.property(fc.array(words), (parts) => {
        const once = normalizeAddress(parts.join(' '));

        expect(once === undefined ? undefined : normalizeAddress(once)).toBe(once);
      }),
    );
  });
});

describe('a url', () => {
  it.each([
    ['HTTP://www.Example.com/a//b/?x=1', 'example.com/a/b'],
    ['example.com', 'example.com/'],
    ['http://example.com//', 'example.com/'],
    ['https://tiktok.com/@shop', 'tiktok.com/@shop'],
    ['www.example.com', 'example.com/'],
    ['WWW.Example.COM/Menu', 'example.com/Menu'],
    ['https://www.example.com/', 'example.com/'],
    ['https://example.com/survey/', 'example.com/survey'],
    ['https://example.com/a/b//', 'example.com/a/b'],
    ['example.com/survey?id=1&x=2', 'example.com/survey'],
    ['example.com/survey/#top', 'example.com/survey'],
    ['example.com?id=1', 'example.com/'],
    ['HTTP://EXAMPLE.COM', 'example.com/'],
    ['http://example.com:8080/a', 'example.com:8080/a'],
    ['http://example.com:80/a', 'example.com:80/a'],
    ['example.com/crème', 'example.com/crème'],
    [' example.com ', 'example.com/'],
    ['http://me@example.com/', 'example.com/'],
    ['tiktok.com/@shop', undefined],
    ['info@example.com', undefined],
    ['mailto:info@example.com', undefined],
    ['www.', undefined],
    ['WWW', undefined],
    ['http://', undefined],
    ['https://www.', undefined],
    ['http://www./menu', undefined],
    ['/menu', undefined],
    ['...', undefined],
    ['not a host', undefined],
    ['', undefined],
  ])('%j is normalised to %j', (text, normalized) => {
    expect(normalizeUrl(text)).toBe(normalized);
  });

  it('that is normalised already stays as it is', () => {
    const url = fc.tuple(
      fc.constantFrom('', 'http://', 'HTTPS://', 'http://me@'),
      fc.constantFrom('', 'www.', 'WWW.'),
      fc.constantFrom('', 'Example.com', 'example.com:80', '..'),
      fc.stringMatching(/^[/aB.?#:]*$/),
    );
    fc.assert(
      fc.property(url, (parts) => {
        const once = normalizeUrl(parts.join(''));

        expect(once === undefined ? undefined : normalizeUrl(once)).toBe(once);
      }),
    );
  });
});
