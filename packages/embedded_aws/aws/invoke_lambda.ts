import type { LambdaStandIn } from '../lambda/lambda_stand_in.ts';
import type { InvocationAnswer, StepFunctionsPorts } from '../step_functions/ports.ts';

/** How Step Functions invokes functions: as Lambda's API answers it. */
export function invokeThrough(lambda: LambdaStandIn): StepFunctionsPorts['invokeLambda'] {
  return async (functionArn, payload): Promise<InvocationAnswer> => {
    const configuration = lambda.find(functionArn);
    if (configuration === undefined) {
      throw Object.assign(new Error(`Function not found: ${functionArn}`), {
        name: 'Lambda.ResourceNotFoundException',
      });
    }
    const { payload: result, error } = await lambda.invoke(configuration, JSON.stringify(payload));
    return error === undefined
      ? { payload: JSON.parse(result) as unknown }
      : { payload: error, functionError: 'Unhandled' };
  };
}
