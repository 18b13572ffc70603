import type { TableDefinition } from 'dynalite/db/index.js';
import type { TableStore } from '../table_store.ts';
import { STREAM_LABEL } from './stream_arn.ts';
import { STREAM_VIEW_TYPES } from './stream_record.ts';

/** dynalite's CreateTable, which knows nothing of streams. */
interface CreateTable {
  readonly perform: (store: TableStore, request: object, done: Done) => void;
  readonly validation: {
    readonly types: object;
    readonly custom?: (request: object, store: TableStore) => string | undefined;
  };
}

type Done = (error: Error | null, response?: unknown) => void;

type Request = Pick<TableDefinition, 'TableName' | 'StreamSpecification'>;

/** The request's part as dynalite's checks of types describe one. */
const TYPES = {
  StreamSpecification: {
    type: 'FieldStruct<StreamSpecification>',
    children: {
      StreamEnabled: { type: 'Boolean', notNull: true },
      StreamViewType: { type: 'String', enum: STREAM_VIEW_TYPES },
    },
  },
};

/** CreateTable with a stream, of which DescribeTable tells what AWS tells: dynalite keeps a definition as it is given. */
export function createTableAction({ perform, validation }: CreateTable): CreateTable {
  return {
    validation: {
      types: { ...validation.types, ...TYPES },
      custom: (request, store) =>
        streamProblem(request as Request) ?? validation.custom?.(request, store),
    },
    perform: (store, request, done) => {
      const { TableName, StreamSpecification: stream } = request as Request;
      const viewType = stream?.StreamEnabled === true ? stream.StreamViewType : undefined;
      if (viewType === undefined) {
        perform(store, request, done);
        return;
      }
      const LatestStreamArn = store.streams.arnOf(TableName);
      const told = { ...request, LatestStreamArn, LatestStreamLabel: STREAM_LABEL };
      perform(store, told, (error, response) => {
        if (error == null) {
          const { TableDescription } = response as { readonly TableDescription: TableDefinition };
          store.streams.create(TableDescription, viewType);
        }
        done(error, response);
      });
    },
  };
}

function streamProblem({ StreamSpecification: stream }: Request): string | undefined {
  if (stream === undefined || stream.StreamEnabled === (stream.StreamViewType !== undefined)) {
    return undefined;
  }
  return stream.StreamEnabled
    ? 'One or more parameter values were invalid: StreamViewType is required when StreamEnabled is true'
    : 'One or more parameter values were invalid: StreamViewType is not allowed when StreamEnabled is false';
}
