import { z } from 'zod';
import type { EmbeddingModel } from '../embeddings/embedder.ts';
import { InvalidConfiguration } from '../errors.ts';
import type { StoreDeclaration, StoreName } from './vector_store.ts';

/** What a store is opened with. */
export interface StoreSettings {
  /** Its variables, and others that it does not look at. */
  readonly environment: Readonly<Record<string, unknown>>;
  /** Whose vectors it holds. */
  readonly model: EmbeddingModel;
  /** Its key, where it has one. */
  readonly secret: string | undefined;
}

type Variables<Declaration extends StoreDeclaration> = {
  readonly [Name in keyof Declaration['variables']]: z.output<Declaration['variables'][Name]>;
} & {
  readonly [Name in keyof Declaration['optional_variables']]?:
    z.output<Declaration['optional_variables'][Name]> | undefined;
};

/**
 * The variables that a store declares, with their types.
 *
 * @throws InvalidConfiguration with every problem at once; it names variables, never their values.
 */
export function storeVariables<Declaration extends StoreDeclaration>(
  name: StoreName,
  { variables, optional_variables }: Declaration,
  environment: StoreSettings['environment'],
): Variables<Declaration> {
  const parsed = z
    .object(variables)
    .extend(z.object(optional_variables).partial().shape)
    .safeParse(environment);
  if (parsed.success) return parsed.data as Variables<Declaration>;
  const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new InvalidConfiguration(
    `the store ${name} is listed in vector_stores, but its settings are wrong: ${wrong.join('; ')}`,
  );
}

/** @throws InvalidConfiguration where a store that can't do without a key has none. */
export function requiredKey(name: StoreName, secret: string | undefined): string {
  if (secret !== undefined) return secret;
  throw new InvalidConfiguration(
    `the store ${name} is listed in vector_stores, but its key is not set`,
  );
}
