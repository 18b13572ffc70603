import * as pulumi from '@pulumi/pulumi';
import { consoleHost } from '../aws_console.ts';

export interface DashboardLocation {
  readonly partition: pulumi.Input<string>;
  readonly region: pulumi.Input<string>;
  readonly dashboardName: pulumi.Input<string>;
}

/** Where a person finds the dashboard. */
export function dashboardUrl(location: DashboardLocation): pulumi.Output<string> {
  return pulumi.output(location).apply(({ partition, region, dashboardName }) => {
    const console = consoleHost(partition) ?? 'console.aws.amazon.com';
    return `https://${region}.${console}/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboardName}`;
  });
}
