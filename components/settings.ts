import { z } from 'zod';
import { MODELS, MOST_DIMENSIONS, SECRETS, SETTINGS } from './setting_table.ts';

/** What the table of settings makes of a stack's texts, by the settings' names. */
export const settingsSchema = z
  .object(SETTINGS)
  .superRefine(
    ({ embedding_model, embedding_dimensions }, context) => {
      // No number, or more than any model has: that is reported already.
      if (typeof embedding_dimensions !== 'number' || embedding_dimensions > MOST_DIMENSIONS)
        return;
      if (embedding_dimensions > MODELS[embedding_model]) {
        context.addIssue({
          code: 'custom',
          path: ['embedding_dimensions'],
          message: `at most ${MODELS[embedding_model]} dimensions, which ${embedding_model} has`,
        });
      }
    },
    // Also when something else is wrong: all problems are reported at once.
    { when: () => true },
  )
  .transform((settings) => ({
    ...settings,
    embedding_dimensions: settings.embedding_dimensions ?? MODELS[settings.embedding_model],
  }));

export type Settings = z.output<typeof settingsSchema>;

/** The settings' names, in the table's order. */
export const SETTING_NAMES = Object.keys(SETTINGS) as (keyof Settings)[];

export type SecretName = keyof typeof SECRETS;

export const SECRET_NAMES = Object.keys(SECRETS) as SecretName[];
