import { expect, it } from 'vitest';
import { toJsonLines } from './json_lines.ts';

it('writes one JSON text a line, each line ended', () => {
  expect(toJsonLines([{ a: 'x\ny' }, 2])).toBe('{"a":"x\\ny"}\n2\n');
  expect(toJsonLines([])).toBe('');
});
