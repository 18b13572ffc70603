import type { DistributedMapState } from './asl.ts';
import { catchAll } from './lambda_task.ts';

export interface DistributedMapSettings {
  /** Its own name, which its child executions are known by. */
  readonly label: string;
  /** The bucket of the execution's files. */
  readonly bucket: string;
  /** Where an execution of this name has its files. */
  readonly files: {
    /** The list of items, JSON lines. */
    readonly manifest: (executionName: string) => string;
    /** The folder of the results. */
    readonly results: (executionName: string) => string;
  };
  /** What a child execution begins with. */
  readonly itemSelector: DistributedMapState['ItemSelector'];
  /** Items at a time. */
  readonly maxConcurrency: number;
  readonly childExecutionType: 'STANDARD' | 'EXPRESS';
  readonly processor: Pick<DistributedMapState['ItemProcessor'], 'StartAt' | 'States'>;
}

/**
 * A Map over a list in S3, which goes on with where its results are at `$.results.location`, and after a failure of its own to
 * RunFailed. The name of the execution must be in its input.
 *
 * It is distributed whatever the number of items: an inline one would end at 256 KiB of results and
 * 25,000 events of history. It tolerates every failure: CheckFailures judges once, at the end.
 */
export function distributedMap(
  settings: DistributedMapSettings,
): Omit<Extract<DistributedMapState, { Next: string }>, 'Next'> {
  const { label, bucket, files, processor } = settings;
  return {
    Type: 'Map',
    Label: label,
    ItemReader: {
      Resource: 'arn:aws:states:::s3:getObject',
      ReaderConfig: { InputType: 'JSONL' },
      Parameters: { Bucket: bucket, 'Key.$': executionFile(files.manifest) },
    },
    ItemSelector: settings.itemSelector,
    MaxConcurrency: settings.maxConcurrency,
    ToleratedFailurePercentage: 100,
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: settings.childExecutionType },
      ...processor,
    },
    ResultWriter: {
      Resource: 'arn:aws:states:::s3:putObject',
      Parameters: { Bucket: bucket, 'Prefix.$': executionFile(files.results) },
      WriterConfig: { Transformation: 'COMPACT', OutputType: 'JSONL' },
    },
    ResultSelector: { 'location.$': '$.ResultWriterDetails' },
    ResultPath: '$.results',
    Catch: catchAll('RunFailed'),
  };
}

/** A path with the execution's name in it, as an intrinsic function; the first task has put the name into the state. */
function executionFile(path: (executionName: string) => string): string {
  return `States.Format('${path('{}')}', $.execution_name)`;
}
