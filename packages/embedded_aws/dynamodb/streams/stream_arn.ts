/**
 * When a stream was enabled, by which AWS tells the streams of one table apart. Here it is the same for all, so that a program
 * knows it before its table is made.
 */
export const STREAM_LABEL = '2026-01-01T00:00:00.000';

export function streamArn(
  table: string,
  {
    region,
    accountId,
    partition = 'aws',
  }: { readonly region: string; readonly accountId: string; readonly partition?: string },
): string {
  return `arn:${partition}:dynamodb:${region}:${accountId}:table/${table}/stream/${STREAM_LABEL}`;
}
