import type { CompiledBlock } from '../definition/compiled_block.ts';

/** A state machine, or the part of one that the children of a Map Run execute. */
export interface Machine {
  readonly arn: string;
  /** `{name}`, for the children of a Map Run `{name}/{label}`. */
  readonly name: string;
  readonly roleArn: string;
  readonly definitionText: string;
  readonly block: CompiledBlock;
  readonly creationDate: Date;
  readonly loggingConfiguration: object;
}
