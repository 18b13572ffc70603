import * as pulumi from '@pulumi/pulumi';

/** AWS's console has another address in each partition. */
const CONSOLES: Readonly<Record<string, string>> = {
  aws: 'console.aws.amazon.com',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
  'aws-cn': 'console.amazonaws.cn',
};

export interface DashboardLocation {
  readonly partition: pulumi.Input<string>;
  readonly region: pulumi.Input<string>;
  readonly dashboardName: pulumi.Input<string>;
}

/** Where a person finds the dashboard. */
export function dashboardUrl(location: DashboardLocation): pulumi.Output<string> {
  return pulumi.output(location).apply(({ partition, region, dashboardName }) => {
    const console = CONSOLES[partition] ?? 'console.aws.amazon.com';
    return `https://${region}.${console}/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboardName}`;
  });
}
