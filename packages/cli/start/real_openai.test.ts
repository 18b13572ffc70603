import { describe, expect, it } from 'vitest';
import { WrongArgument } from '../command_line/wrong_argument.ts';
import { realApiKey } from './real_openai.ts';

describe('the key for OpenAI itself', () => {
  it('is not looked at for the stand-in', () => {
    expect(realApiKey('stand-in', { OPENAI_API_KEY: 'sk-mine' })).toBeUndefined();
  });

  it('is that of the environment', () => {
    expect(realApiKey('real', { OPENAI_API_KEY: 'sk-mine' })).toBe('sk-mine');
  });

  it.each([{}, { OPENAI_API_KEY: '' }, { OPENAI_API_KEY: undefined }])(
    'is asked for when there is none: %o',
    (environment) => {
      expect(() => realApiKey('real', environment)).toThrow(
        new WrongArgument('--openai real needs your key: set OPENAI_API_KEY and start again'),
      );
    },
  );
});
