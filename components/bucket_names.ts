/** What S3 keeps for itself, or for names that are no buckets' own (its user guide, "Bucket naming rules"). */
const RESERVED: readonly RegExp[] = [
  /^(xn--|sthree-|amzn-s3-demo-)/,
  /(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/,
];

/** Four numbers look like an address. */
const ADDRESS = /^\d+(\.\d+){3}$/;

/** Whether S3 lets a bucket have this name. */
export function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes('..') &&
    !ADDRESS.test(name) &&
    !RESERVED.some((reserved) => reserved.test(name))
  );
}
