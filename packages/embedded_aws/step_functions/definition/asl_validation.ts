import { createRequire } from 'node:module';
import type { AslBlock } from './definition.ts';
import { definitionProblems } from './definition_check.ts';

interface ValidatorAnswer {
  readonly isValid: boolean;
  readonly errorsText: (separator: string) => string;
}

type Validator = (
  definition: object,
  options: { readonly checkPaths: boolean; readonly checkArn: boolean },
) => ValidatorAnswer;

// The package is CommonJS without type declarations.
const validate = createRequire(import.meta.url)('asl-validator') as Validator;

/** What CreateStateMachine answers to a definition that is wrong or that can't run here. */
export class InvalidDefinition extends Error {
  override readonly name = 'InvalidDefinition';

  constructor(problems: string) {
    super(`Invalid State Machine Definition: '${problems}'`);
  }
}

/**
 * @returns the definition, known to be States Language and to use nothing but what runs here.
 * @throws InvalidDefinition with every problem, in the validator's own words where it found them.
 */
export function validatedDefinition(definition: object): AslBlock {
  // The validator writes defaults into what it is given.
  const answer = validate(structuredClone(definition), { checkPaths: true, checkArn: true });
  if (!answer.isValid) throw new InvalidDefinition(answer.errorsText('\n'));
  const problems = definitionProblems(definition);
  if (problems.length > 0) throw new InvalidDefinition(problems.join('\n'));
  return definition as AslBlock;
}
