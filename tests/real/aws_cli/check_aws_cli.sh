#!/usr/bin/env bash
# Drives the embedded AWS with the real AWS CLI; see --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: tests/real/aws_cli/check_aws_cli.sh [--cache FOLDER] [--deltas FOLDER]

Starts `npm start -- --serve`, evaluates what `receipts env` prints, and drives the embedded AWS with the
AWS CLI: Step Functions, S3, S3 Vectors, DynamoDB with its streams, SQS and Lambda, with right and with wrong input, and a batch from its submission to
its end.

  --deltas FOLDER  keep the run's deltas there, downloaded with `aws s3 cp`
  --cache FOLDER   where the CLI is installed and kept for the next time
                   (default: a temporary folder, removed afterwards)
  --install        install the CLI there, and do nothing else
  --help           this text

Needs Python 3.9 or later with venv (PYTHON names another than python3), a package index for pip, and an `npm ci`.
Prints a line for each check and a total; ends with 0 when all passed, 1 when one failed, 2 for
wrong arguments.
TEXT
}

AWS_CLI_VERSION=1.46.2

cache=''
deltas=''
install_only=''
while (($# > 0)); do
  case $1 in
    --help) usage; exit 0 ;;
    --install) install_only=yes; shift ;;
    --cache) (($# > 1)) || { usage >&2; exit 2; }; cache=$2; shift 2 ;;
    --deltas) (($# > 1)) || { usage >&2; exit 2; }; deltas=$2; shift 2 ;;
    *) printf 'unknown argument %s\n\n' "$1" >&2; usage >&2; exit 2 ;;
  esac
done

work=$(mktemp -d)
server=''
cleanup() {
  if [[ -n $server ]]; then kill -INT "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT
cache=${cache:-$work/cache}
deltas=${deltas:-$work/deltas}
mkdir -p "$cache" "$deltas"

venv=$cache/awscli-$AWS_CLI_VERSION
# The marker is written last: an installation that was cut short is done again.
if [[ ! -e $venv/complete ]]; then
  printf 'Installing the AWS CLI %s …\n' "$AWS_CLI_VERSION" >&2
  rm -rf "$venv"
  "${PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "awscli==$AWS_CLI_VERSION"
  touch "$venv/complete"
fi
[[ -z $install_only ]] || exit 0
aws() { "$venv/bin/aws" "$@"; }

cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
# The shell of somebody who works with another AWS, behind a proxy: what `receipts env` prints must be enough.
export AWS_PROFILE=nobody AWS_SESSION_TOKEN=another AWS_USE_FIPS_ENDPOINT=true AWS_USE_DUALSTACK_ENDPOINT=true
export AWS_CA_BUNDLE=/nowhere AWS_ENDPOINT_URL_S3=http://127.0.0.1:1 AWS_ENDPOINT_URL_S3VECTORS=http://127.0.0.1:1 AWS_ENDPOINT_URL_SFN=http://127.0.0.1:1
export HTTP_PROXY=http://127.0.0.1:1 http_proxy=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1
project=$PWD
receipts() { cd "$work" && exec "$project/node_modules/.bin/node" "$project/packages/cli/receipts.ts" "$@"; }
receipts start --serve --port 0 --receipts 12 --words 20 --path realtime --batch-latency 0 >"$work/server.log" 2>&1 &
server=$!
until grep -qs '^Ctrl-C ends it' "$work/server.log"; do
  kill -0 "$server" 2>/dev/null || { cat "$work/server.log" >&2; exit 1; }
  sleep 0.2
done
eval "$(receipts env)"
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PAGER=''

passed=0
failed=0
# check TITLE PATTERN COMMAND…: what the command prints (with its errors) must match the pattern.
check() {
  local title=$1 pattern=$2 printed
  shift 2
  printed=$("$@" 2>&1) || true
  if grep -Eq -- "$pattern" <<<"$printed"; then
    passed=$((passed + 1))
    printf 'ok      %s\n' "$title"
  else
    failed=$((failed + 1))
    printf 'FAILED  %s\n        wanted: %s\n        printed: %s\n' "$title" "$pattern" "$printed"
  fi
}

machine=$REALTIME_EMBEDDING_SF_ARN
bucket=$CHROMADB_BUCKET_NAME
table=$DYNAMODB_TABLE_NAME

# end_of EXECUTION: waits for it, and prints how it ended.
end_of() {
  local state=RUNNING
  for _ in $(seq 100); do
    state=$(aws stepfunctions describe-execution --execution-arn "$1" --query status --output text)
    [[ $state == RUNNING ]] || break
    sleep 0.2
  done
  echo "$state"
}

# Word for word what whoever deploys a stack types first, with the stack's output.
check 'start-execution as it is typed' '"executionArn": "arn:aws:states:.*:realtime-embedding-sf-dev:first-hundred"' \
  aws stepfunctions start-execution --state-machine-arn "$REALTIME_EMBEDDING_SF_ARN" --name first-hundred --input '{"limit": 100}'
first_hundred=${machine/:stateMachine:/:execution:}:first-hundred
check 'and it succeeds' '^SUCCEEDED$' end_of "$first_hundred"
check 'with every receipt, and nothing left' '"total":12,.*"failed":0,.*"last_evaluated_key":null' \
  aws stepfunctions describe-execution --execution-arn "$first_hundred" --query output --output text

execution=$(aws stepfunctions start-execution --state-machine-arn "$machine" --name by-hand \
  --input '{"limit": 10}' --query executionArn --output text)
check 'start-execution answers an ARN' '^arn:aws:states:.*:execution:realtime-embedding-sf-dev:by-hand$' echo "$execution"
state=$(end_of "$execution")
check 'describe-execution sees its end' '^SUCCEEDED$' echo "$state"
check 'its output is the summary, cut at the limit' '"total":10.*"reused":10.*"last_evaluated_key":\{' \
  aws stepfunctions describe-execution --execution-arn "$execution" --query output --output text
check 'get-execution-history begins with ExecutionStarted' 'ExecutionStarted' \
  aws stepfunctions get-execution-history --execution-arn "$execution" --max-items 1
check 'get-execution-history has the Map Run' 'MapRunStarted' \
  aws stepfunctions get-execution-history --execution-arn "$execution"
check 'list-executions lists it' 'by-hand' aws stepfunctions list-executions --state-machine-arn "$machine"
check 'list-state-machines' 'realtime-embedding-sf-dev' aws stepfunctions list-state-machines
check 'describe-state-machine' 'ProcessReceipts' aws stepfunctions describe-state-machine --state-machine-arn "$machine"
check 'the same name with another input' 'ExecutionAlreadyExists' \
  aws stepfunctions start-execution --state-machine-arn "$machine" --name by-hand --input '{"limit": 3}'
check 'input that is not JSON' 'InvalidExecutionInput' \
  aws stepfunctions start-execution --state-machine-arn "$machine" --input 'limit'
check 'a state machine that is not there' 'StateMachineDoesNotExist' \
  aws stepfunctions start-execution --state-machine-arn "${machine}x" --input '{}'
check 'an execution that is not there' 'ExecutionDoesNotExist' \
  aws stepfunctions describe-execution --execution-arn "${execution}x"
wrong=$(aws stepfunctions start-execution --state-machine-arn "$machine" --input '{"limit": 0}' --query executionArn --output text)
end_of "$wrong" >/dev/null
check 'a wrong input fails the execution and names the field' 'InvalidRequest.*' \
  aws stepfunctions describe-execution --execution-arn "$wrong" --query '[status, error, cause]' --output text
check 'the field is limit' 'limit' \
  aws stepfunctions describe-execution --execution-arn "$wrong" --query cause --output text

check 's3 ls of the bucket' 'PRE lines/' aws s3 ls "s3://$bucket/"
check 's3 ls of a bucket that is not there' 'NoSuchBucket' aws s3 ls s3://no-such-bucket-here
check 's3 cp of the deltas' 'download: .*delta.tar.gz' \
  aws s3 cp --recursive --exclude '*' --include '*/delta/*' "s3://$bucket/" "$deltas"
check 's3 cp of a key that is not there' '\(404\)' aws s3 cp "s3://$bucket/nothing" "$work/nothing"
check 'a delta is an archive of one database' '^chroma.sqlite3$' \
  tar -tzf "$(find "$deltas" -name delta.tar.gz | head -n 1)"
first=$(find "$deltas/lines" -name delta.tar.gz | head -n 1)
check 's3api head-object shows the metadata of a delta' '"run_id"' \
  aws s3api head-object --bucket "$bucket" --key "${first#"$deltas"/}"
check 's3api put-object on condition' 'PreconditionFailed' \
  aws s3api put-object --bucket "$bucket" --key "${first#"$deltas"/}" --if-none-match '*'

# An index of its own: those of the program have as many dimensions as its model.
vectors() { local operation=$1; shift; aws s3vectors "$operation" --vector-bucket-name by-hand --index-name pages "$@"; }
page() { printf '{"key": "%s", "data": {"float32": %s}, "metadata": %s}' "$@"; }
nearest() { vectors query-vectors --top-k 2 --query-vector '{"float32": [1, 0.1]}' --query 'vectors[].key' --output text "$@"; }
check 's3vectors create-vector-bucket' 'arn:aws:s3vectors:us-east-1:[0-9]{12}:bucket/by-hand"' \
  aws s3vectors create-vector-bucket --vector-bucket-name by-hand
check 's3vectors create-index' ':bucket/by-hand/index/pages"' vectors create-index --data-type float32 --dimension 2 \
  --distance-metric cosine --metadata-configuration '{"nonFilterableMetadataKeys": ["text"]}'
check 's3vectors get-index' '"dimension": 2' vectors get-index
check 's3vectors list-indexes' '"indexName": "pages"' aws s3vectors list-indexes --vector-bucket-name by-hand
check 's3vectors list-vector-buckets' '"vectorBucketName": "by-hand"' aws s3vectors list-vector-buckets
check 's3vectors put-vectors says nothing' '^$' vectors put-vectors --vectors \
  "[$(page one '[1, 0]' '{"page": 1, "text": "first"}'), $(page two '[0, 1]' '{"page": 2}'), $(page three '[1, 1]' '{"tags": ["a"]}')]"
check 's3vectors query-vectors has the nearest first' $'^one\tthree$' nearest
check 's3vectors query-vectors says how far' '"distance": 0.00' vectors query-vectors --top-k 1 \
  --query-vector '{"float32": [1, 0.1]}' --return-distance --return-metadata
check 's3vectors query-vectors with a filter' $'^two$' nearest --filter '{"page": {"$gte": 2}}'
check 'on any element of a list' $'^three$' nearest --filter '{"tags": "a"}'
check 'on what is not filterable' 'ValidationException.*text' nearest --filter '{"text": "first"}'
check 'of another dimension' 'ValidationException.*length 2' vectors query-vectors --top-k 1 --query-vector '{"float32": [1]}'
check 's3vectors get-vectors' '"float32": \[ *$' vectors get-vectors --keys one --return-data --return-metadata
check 's3vectors list-vectors' $'^one\ttwo\tthree$' vectors list-vectors --query 'vectors[].key' --output text
check 'page by page' '"three"' vectors list-vectors --page-size 1
check 's3vectors delete-vectors says nothing' '^$' vectors delete-vectors --keys one missing
check 'and it is found no more' $'^three\ttwo$' nearest
check 'an index that is not there' 'NotFoundException' aws s3vectors list-vectors --vector-bucket-name by-hand --index-name none
check 's3vectors delete-vector-bucket with an index in it' 'ConflictException' aws s3vectors delete-vector-bucket --vector-bucket-name by-hand
check 's3vectors delete-index says nothing' '^$' vectors delete-index
check 's3vectors delete-vector-bucket says nothing' '^$' aws s3vectors delete-vector-bucket --vector-bucket-name by-hand
check 'what is not here' 'NotImplemented.*GetVectorBucketPolicy' aws s3vectors get-vector-bucket-policy --vector-bucket-name by-hand

check 'dynamodb query by type' '"Count": 12' aws dynamodb query --table-name "$table" --index-name GSITYPE \
  --key-condition-expression '#t = :t' --expression-attribute-names '{"#t": "TYPE"}' \
  --expression-attribute-values '{":t": {"S": "COMPACTION_RUN"}}' --select COUNT
check 'dynamodb query of a table that is not there' 'ResourceNotFoundException' \
  aws dynamodb query --table-name nothing --key-condition-expression 'PK = :p' --expression-attribute-values '{":p": {"S": "x"}}'
check 'dynamodb query without a condition' 'ValidationException' aws dynamodb query --table-name "$table"

# The run has embedded everything: one line is to be embedded once more, in a batch.
line=$(aws dynamodb query --table-name "$table" --index-name GSI1 --key-condition-expression 'GSI1PK = :k' \
  --expression-attribute-values '{":k": {"S": "EMBEDDING_STATUS#SUCCESS"}}' --max-items 1 \
  --query 'Items[0].{PK: PK, SK: SK}' --output json)
aws dynamodb update-item --table-name "$table" --key "$line" \
  --update-expression 'SET embedding_status = :s, GSI1PK = :k' \
  --expression-attribute-values '{":s": {"S": "NONE"}, ":k": {"S": "EMBEDDING_STATUS#NONE"}}'
batch_summary() {
  aws dynamodb query --table-name "$table" --index-name GSITYPE --key-condition-expression '#t = :t' \
    --expression-attribute-names '{"#t": "TYPE"}' --expression-attribute-values '{":t": {"S": "BATCH_SUMMARY"}}' \
    --query 'Items[].[batch_type.S, status.S, requested.N, succeeded.N]' --output text
}
start() { aws stepfunctions start-execution --state-machine-arn "$@" --query executionArn --output text; }
output() { aws stepfunctions describe-execution --execution-arn "$1" --query output --output text; }
submit=$(start "$BATCH_SUBMIT_SF_ARN" --name submit-by-hand --input '{"entity": "lines"}')
check 'a batch is submitted' '^SUCCEEDED$' end_of "$submit"
check 'the output says how many' '"total":1,"submitted":1,.*"requested":1,' output "$submit"
check 'the table has its BATCH_SUMMARY' $'^LINE_EMBEDDING\tPENDING\t1\tNone$' batch_summary
check 's3 ls of the batch bucket has its requests' ' batches/[-0-9a-f]{36}/requests.jsonl$' \
  aws s3 ls --recursive "s3://$BATCH_BUCKET_NAME/"
poll=$(start "$BATCH_POLL_SF_ARN" --name poll-by-hand)
check 'a poll brings it to its end' '^SUCCEEDED$' end_of "$poll"
check 'the output says what came of it' '"total":1,"completed":1,"running":0,"failed":0,.*"succeeded":1,' output "$poll"
check 'and so does the BATCH_SUMMARY' $'^LINE_EMBEDDING\tCOMPLETED\t1\t1$' batch_summary
check 'the line is SUCCESS again' '^SUCCESS$' aws dynamodb get-item --table-name "$table" --key "$line" \
  --query Item.embedding_status.S --output text
again=$(start "$BATCH_POLL_SF_ARN")
end_of "$again" >/dev/null
check 'another poll finds nothing' '"total":0,' output "$again"

# The project's own command finds the stack by the same variables.
check 'npm run execute shows the progress to the end' '10 of 10 receipts' npm run execute -- realtime --limit 10 --wait --name by-execute
check 'and the execution is AWS'"'"'s as any other' '^SUCCEEDED$' \
  aws stepfunctions describe-execution --execution-arn "${machine/:stateMachine:/:execution:}:by-execute" --query status --output text
check 'npm run execute has the batch workflows too' '"status":"SUCCEEDED".*"total":0' npm run --silent execute -- batch-poll --wait --json

# Keys: those of this start, and no others.
secret=receipt-embedding-openai-api-key-dev
secret_value() { "$@" secretsmanager get-secret-value --secret-id "$secret" --query SecretString --output text; }
check 'secretsmanager get-secret-value' '^sk-local-stand-in$' secret_value aws
check 'without a signature' 'MissingAuthenticationToken' secret_value aws --no-sign-request
check 'with another secret key' 'InvalidSignatureException' env AWS_SECRET_ACCESS_KEY=local "$venv/bin/aws" stepfunctions list-state-machines
check 'with another secret key, of S3' 'SignatureDoesNotMatch' env AWS_SECRET_ACCESS_KEY=local "$venv/bin/aws" s3api list-objects-v2 --bucket "$bucket"
check 'with another secret key, of S3 Vectors' 'InvalidSignatureException' env AWS_SECRET_ACCESS_KEY=local "$venv/bin/aws" s3vectors list-vector-buckets
check 'with another key' 'UnrecognizedClientException' env AWS_ACCESS_KEY_ID=AKIANOBODY "$venv/bin/aws" dynamodb list-tables
printf 'x%.0s' $(seq 100000) >"$work/upload"
check 's3 cp to a key of every kind of character' 'upload: ' aws s3 cp "$work/upload" "s3://$bucket/of hand/ä+b!'()*~&\$.gz"
check 'and s3 ls of it' ' 100000 .*/ä\+b!' aws s3 ls --recursive "s3://$bucket/of hand/"

payload() { aws lambda invoke --function-name "$1" --payload "$2" "$work/answer.json"; cat "$work/answer.json"; }
check 'lambda invoke answers the list' '"total_receipts":3' payload embedding-find-receipts-realtime-lambda-dev '{"limit": 3}'
check 'lambda invoke with wrong input is a function error' 'FunctionError.*Unhandled' payload embedding-find-receipts-realtime-lambda-dev '{"limit": "three"}'
check 'which names the field' 'InvalidRequest.*limit' payload embedding-find-receipts-realtime-lambda-dev '{"limit": "three"}'
check 'lambda invoke with an unknown field' 'lmit' payload embedding-find-receipts-realtime-lambda-dev '{"lmit": 3}'
check 'lambda invoke of a function that is not there' 'ResourceNotFoundException' payload nothing '{}'

# Version 1 of the CLI asks https://queue.amazonaws.com for SQS in this region, whatever AWS_ENDPOINT_URL says.
sqs() { aws --endpoint-url "$AWS_ENDPOINT_URL" sqs "$@"; }
# check_event_sources STREAM QUEUE: of a stream that a function is mapped to, and a queue that none is.
check_event_sources() {
  local stream=$1 queue=$2 name=${2##*/} table=${1#*:table/} id shard iterator handle
  table=${table%%/*}
  check 'lambda list-event-source-mappings by its source' '"State": "Enabled"' \
    aws lambda list-event-source-mappings --event-source-arn "$stream"
  id=$(aws lambda list-event-source-mappings --event-source-arn "$stream" --query 'EventSourceMappings[0].UUID' --output text)
  mapping_state() { aws lambda "$@" --uuid "$id" --query State --output text; }
  check 'lambda update-event-source-mapping disables it' '^Disabled$' mapping_state update-event-source-mapping --no-enabled
  check 'and lambda get-event-source-mapping says so' '^Disabled$' mapping_state get-event-source-mapping
  check 'a mapping that is not there' 'ResourceNotFoundException' aws lambda get-event-source-mapping --uuid 00000000-0000-4000-8000-000000000000

  check 'dynamodb describe-table has its stream' "^$stream$" \
    aws dynamodb describe-table --table-name "$table" --query Table.LatestStreamArn --output text
  check 'dynamodbstreams list-streams' "^$stream$" \
    aws dynamodbstreams list-streams --table-name "$table" --query 'Streams[].StreamArn' --output text
  check 'dynamodbstreams describe-stream' '"StreamStatus": "ENABLED"' aws dynamodbstreams describe-stream --stream-arn "$stream"
  aws dynamodb put-item --table-name "$table" --item '{"PK": {"S": "BY_HAND"}, "SK": {"S": "BY_HAND"}}'
  by_hand() {
    for shard in $(aws dynamodbstreams describe-stream --stream-arn "$stream" --query 'StreamDescription.Shards[].ShardId' --output text); do
      iterator=$(aws dynamodbstreams get-shard-iterator --stream-arn "$stream" --shard-id "$shard" \
        --shard-iterator-type TRIM_HORIZON --query ShardIterator --output text)
      aws dynamodbstreams get-records --shard-iterator "$iterator" \
        --query 'Records[?dynamodb.Keys.PK.S==`BY_HAND`].[eventName, dynamodb.Keys.SK.S]' --output text
    done
  }
  check 'dynamodbstreams get-records has what was written' $'^INSERT\tBY_HAND$' by_hand
  check 'a stream that is not there' 'ResourceNotFoundException' aws dynamodbstreams describe-stream --stream-arn "${stream}1"
  check 'an iterator of nobody' 'ValidationException' aws dynamodbstreams get-records --shard-iterator nothing
  check 'the mapping is enabled again' '^Enabled$' mapping_state update-event-source-mapping --enabled

  check 'sqs get-queue-url' "^$queue$" sqs get-queue-url --queue-name "$name" --query QueueUrl --output text
  check 'sqs send-message has the digest of the body' '"MD5OfMessageBody": "7d909037a76176adb749eda313187060"' \
    sqs send-message --queue-url "$queue" --message-body 'by hand'
  check 'sqs get-queue-attributes counts it' '^1$' sqs get-queue-attributes --queue-url "$queue" \
    --attribute-names ApproximateNumberOfMessages --query Attributes.ApproximateNumberOfMessages --output text
  handle=$(sqs receive-message --queue-url "$queue" --wait-time-seconds 1 --visibility-timeout 300 \
    --query 'Messages[?Body==`by hand`].ReceiptHandle' --output text)
  check 'sqs receive-message hides it' '^1$' sqs get-queue-attributes --queue-url "$queue" \
    --attribute-names All --query Attributes.ApproximateNumberOfMessagesNotVisible --output text
  check 'sqs delete-message says nothing' '^$' sqs delete-message --queue-url "$queue" --receipt-handle "$handle"
  check 'a receipt of nobody' 'ReceiptHandleIsInvalid' sqs delete-message --queue-url "$queue" --receipt-handle nothing
  check 'a queue that is not there' 'AWS.SimpleQueueService.NonExistentQueue' \
    sqs send-message --queue-url "${queue}x" --message-body x
  check 'what is not here of SQS' 'NotImplemented.*CreateQueue' sqs create-queue --queue-name by-hand
}
# A stack has them with `embed_on_arrival: true`; without it, it has neither streams nor queues.
stream=$(aws lambda list-event-source-mappings --query 'EventSourceMappings[?contains(EventSourceArn, `:dynamodb:`)] | [0].EventSourceArn' --output text)
if [[ $stream == None ]]; then
  printf 'skipped the checks of event sources: the stack has no mapping\n'
else
  mapped=$(aws lambda list-event-source-mappings --query 'EventSourceMappings[].EventSourceArn' --output text)
  for queue in $(sqs list-queues --query 'QueueUrls[]' --output text); do
    [[ $mapped == *:"${queue##*/}"* ]] || break
  done
  check_event_sources "$stream" "$queue"
fi

printf '%s passed, %s failed\n' "$passed" "$failed"
((failed == 0))
