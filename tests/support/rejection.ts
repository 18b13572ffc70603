/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`rejected with a ${typeof error}`, { cause: error });
  }
  throw new Error('expected a rejection, but it was fulfilled');
}
