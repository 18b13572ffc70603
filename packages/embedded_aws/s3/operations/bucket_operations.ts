import { readPayload } from '../protocol/payload.ts';
import { malformedXml } from '../protocol/s3_error.ts';
import { childText, readXml } from '../protocol/xml_reader.ts';
import { element, textElement, xmlDocument } from '../protocol/xml_writer.ts';
import { type Operation, xmlAnswer } from '../s3_call.ts';
import { defaultRegion } from '../storage/bucket_store.ts';
import { owner } from '../storage/owner.ts';

export const listBuckets: Operation = ({ store }) =>
  xmlAnswer(
    xmlDocument('ListAllMyBucketsResult', [
      owner('Owner'),
      element(
        'Buckets',
        store
          .list()
          .map(({ name, region, createdAt }) =>
            element('Bucket', [
              textElement('Name', name),
              textElement('CreationDate', createdAt.toISOString()),
              textElement('BucketRegion', region),
            ]),
          ),
      ),
    ]),
  );

export const createBucket: Operation = ({ request, store, bucket }) => {
  const { body } = readPayload(request);
  store.create(bucket, body.length === 0 ? defaultRegion : readRegion(body.toString()));
  return { status: 200, headers: { location: `/${bucket}` } };
};

export const headBucket: Operation = ({ store, bucket }) => ({
  status: 200,
  headers: {
    'content-type': 'application/xml',
    'x-amz-bucket-region': store.bucket(bucket).region,
  },
});

export const getBucketLocation: Operation = ({ store, bucket }) => {
  const { region } = store.bucket(bucket);
  // The oldest region has no name here: its constraint is empty.
  const constraint = region === defaultRegion ? '' : region;
  return xmlAnswer(xmlDocument('LocationConstraint', [constraint]));
};

function readRegion(source: string): string {
  const root = readXml(source);
  if (root.name !== 'CreateBucketConfiguration') throw malformedXml();
  const region = childText(root, 'LocationConstraint') ?? '';
  if (!/^[a-z\d-]*$/.test(region)) throw malformedXml();
  return region === '' ? defaultRegion : region;
}
