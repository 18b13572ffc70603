import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';

/** Questions that come up, ready to be asked in CloudWatch Logs Insights. */
const IDS = 'execution_name, run_id, batch_id, image_id, receipt_id';
const QUERIES = {
  failures: `fields @timestamp, service, error_name, error_message, ${IDS}
| filter level = "ERROR"
| stats count(*) as failures, latest(error_message) as last_message, latest(execution_name) as last_execution by error_name, service
| sort failures desc`,
  receipt: `fields @timestamp, service, level, message, execution_name, run_id, error_name, error_message
| filter image_id = "put the image_id here" and receipt_id = 1
| sort @timestamp asc`,
  execution: `fields @timestamp, service, level, message, ${IDS}, error_name, error_message
| filter execution_name = "put the execution's name here"
| sort @timestamp asc`,
  batch: `fields @timestamp, service, level, message, execution_name, status, action, part, error_name, error_message
| filter batch_id = "put the batch_id here"
| sort @timestamp asc`,
} as const;

/** Creates queries, `receipt-embedding/{stack}/{query}`, over the functions' logs. */
export function createLogQueries(
  names: readonly (keyof typeof QUERIES)[],
  logGroupNames: readonly pulumi.Input<string>[],
  options: pulumi.CustomResourceOptions,
): void {
  for (const name of names) {
    new aws.cloudwatch.QueryDefinition(
      `log-query-${name}`,
      {
        name: `receipt-embedding/${pulumi.getStack()}/${name}`,
        logGroupNames: [...logGroupNames],
        queryString: QUERIES[name],
      },
      options,
    );
  }
}
