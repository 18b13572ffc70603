/** AWS's console has another address in each partition. */
const CONSOLES: Readonly<Record<string, string>> = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
};

/** The host of a partition's console, without the region before it; undefined where there is none that we know of. */
export function consoleHost(partition: string): string | undefined {
  return CONSOLES[partition];
}

/** Where a person finds a dashboard of CloudWatch. */
export function dashboardUrl(partition: string, region: string, dashboardName: string): string {
  const host = consoleHost(partition) ?? 'console.aws.amazon.com';
  return `https://${region}.${host}/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboardName}`;
}
