import { z } from 'zod';

/** An execution's name: what its files are called by. */
export const executionNameSchema = z.string().regex(/^[A-Za-z0-9_-]{1,80}$/);

/**
 * The context object of an execution, which a state machine adds to the input of its first function. Invoked by hand, the
 * function needs none of it.
 */
export const executionFields = {
  Name: executionNameSchema.optional(),
  Id: z.unknown().optional(),
  Input: z.unknown().optional(),
  RoleArn: z.unknown().optional(),
  StartTime: z.unknown().optional(),
  RedriveCount: z.unknown().optional(),
  RedriveTime: z.unknown().optional(),
};
