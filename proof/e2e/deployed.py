#!/usr/bin/env python3
"""Runs the end-to-end tests against the real template and the real binaries, on an AWS that is emulated on this machine.

deployed.py FOLDER, which holds NAME.zip of every function. What is deployed is what would be deployed; where the emulator is not
like AWS, EMULATOR_GAPS below says so and how that is made up for. Everything is gone afterwards.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import boto3
import httpx
import yaml
from botocore.exceptions import WaiterError

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "deploy"))
from expand import expand  # noqa: E402

from chat import CognitoAccounts  # noqa: E402
from local import OWN_KINDS, program  # noqa: E402

REGION = "ap-northeast-2"
ORIGIN = "https://chat.example.com"
STACK = "playground-chat"

EMULATOR_GAPS = """
1. It has no AWS::ApiGatewayV2::RouteResponse (it sends back whatever a function answers), no alarms that compute, and no
   CodeDeploy. It speaks no TLS, without which the bucket's policy refuses everything. These are taken out of what is deployed
   here; deploy/test_template.py sees to it that the template has them.
2. Its APIs are not at <id>.execute-api.<region>.amazonaws.com, but at paths of its own: WEBSOCKET_CALLBACK_URL is set to that
   after the stack stands. Not before, since a path contains the API's id. What is called by the alias is the version after.
3. Of a REST API's document it reads neither what a preflight is answered, nor what the gateway says when it refuses. The
   function, which knows how, answers preflights here; the gateway's answers are set by the API's own calls.
"""

OPERATIONS = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text(encoding="utf-8"))["operations"].values()

# Gap 1: types, and how many of each the template has.
NOT_EMULATED = {
    # One for each action of the table of chat-wire, and one for $default.
    "AWS::ApiGatewayV2::RouteResponse": 1 + sum(operation["action"] == "receive" for operation in OPERATIONS),
    "AWS::CloudWatch::Alarm": 12,
    "AWS::S3::BucketPolicy": 1,
    "AWS::CodeDeploy::Application": 1,
    "AWS::CodeDeploy::DeploymentGroup": 4,
    # The template makes a budget only if MonthlyBudget is set.
    "AWS::Budgets::Budget": 1,
    # It opens images through CloudFront only with ImagesPrivateKey.
    "AWS::CloudFront::CachePolicy": 1,
    "AWS::CloudFront::Distribution": 1,
    "AWS::CloudFront::KeyGroup": 1,
    "AWS::CloudFront::OriginAccessControl": 1,
    "AWS::CloudFront::PublicKey": 1,
    "AWS::CloudFront::ResponseHeadersPolicy": 1,
}


def without_what_is_not_emulated(template: dict) -> dict:
    """The template without the resources that the emulator does not know (gap 1)."""
    types = [resource["Type"] for resource in template["Resources"].values()]
    assert {kind: types.count(kind) for kind in NOT_EMULATED} == NOT_EMULATED
    kept = {name: it for name, it in template["Resources"].items() if it["Type"] not in NOT_EMULATED}
    for resource in kept.values():
        if resource["Type"] == "AWS::Lambda::Alias":
            del resource["UpdatePolicy"]
    return {**template, "Resources": kept}


def rest_document(template: dict) -> dict:
    return template["Resources"]["RestApi"]["Properties"]["Body"]


def with_preflights_by_the_function(template: dict) -> dict:
    """The template with preflights that the function answers (gap 3)."""
    for item in rest_document(template)["paths"].values():
        other, *_ = [operation for method, operation in item.items() if method != "options"]
        item["options"] = {key: value for key, value in other.items() if key != "security"}
    return template


def let_the_gateway_refuse(template: dict, api: str) -> None:
    """Gives the emulated gateway the answers with which the template's gateway refuses (gap 3)."""
    gateway = boto3.client("apigateway")
    for kind, answer in rest_document(template)["x-amazon-apigateway-gateway-responses"].items():
        gateway.put_gateway_response(
            restApiId=api,
            responseType=kind,
            **({"statusCode": str(answer["statusCode"])} if "statusCode" in answer else {}),
            responseParameters=answer["responseParameters"],
            responseTemplates=answer.get("responseTemplates", {}),
        )
    gateway.create_deployment(restApiId=api, stageName="prod")


def callback_url(endpoint: str, api: str) -> str:
    return f"{endpoint}/_aws/execute-api/{api}/prod"


def point_at(endpoint: str, api: str) -> None:
    """Tells the functions where the emulated gateway takes pushes (gap 2)."""
    functions = boto3.client("lambda")
    for name in ("connect", "send", "history"):
        function = f"playground-chat-{name}"
        variables = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        assert variables["WEBSOCKET_CALLBACK_URL"] == f"https://{api}.execute-api.{REGION}.amazonaws.com/prod"
        variables["WEBSOCKET_CALLBACK_URL"] = callback_url(endpoint, api)
        # Lambda sets this from the template's LogLevel, and the emulator does not. The tests look for what DEBUG tells.
        variables["AWS_LAMBDA_LOG_LEVEL"] = "debug"
        functions.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
        version = functions.publish_version(FunctionName=function)["Version"]
        functions.update_alias(FunctionName=function, Name="live", FunctionVersion=version)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def emulated_aws(folder: pathlib.Path):
    """The endpoint of an emulator, which is a process group of its own: the functions it runs end with it."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        # Each function may do what its role says, and no more.
        "AUTH": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    tools = subprocess.run([ROOT / "dev/python-tool.sh", "emulator"], capture_output=True, text=True, check=True)
    with open(folder / "log", "w", encoding="utf-8") as log:
        command = [f"{tools.stdout.strip()}/ministack"]
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        wait_for(endpoint, process)
        yield endpoint
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        # A function may still be running, and the emulator may not have ended by itself.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(endpoint: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{endpoint}/_ministack/health")
            return
        time.sleep(0.1)
    sys.exit("the emulator did not start")


def deploy(zips: pathlib.Path) -> dict[str, str]:
    """The stack's outputs, once it stands."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
    for name in ("connect", "disconnect", "send", "history"):
        s3.upload_file(str(zips / f"{name}.zip"), "code", f"{name}.zip")
    # A test signs somebody up.
    parameters = {"AllowedOrigins": ORIGIN, "PasswordSignIn": "true", "SelfSignUp": "open", "OwnKinds": OWN_KINDS}
    cloudformation = boto3.client("cloudformation")
    template = with_preflights_by_the_function(without_what_is_not_emulated(expand("code")))
    # The template is too large for a request.
    s3.put_object(Bucket="code", Key="template.json", Body=json.dumps(template))
    cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=f"{s3.meta.endpoint_url}/code/template.json",
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    try:
        cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    except WaiterError:
        for event in reversed(cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]):
            if "FAILED" in event["ResourceStatus"]:
                print(event["LogicalResourceId"], event.get("ResourceStatusReason"), file=sys.stderr)
        raise
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def token_of_another_pool() -> str:
    """A genuine token, of somebody with a verified address in somebody else's pool."""
    cognito = boto3.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="another", UsernameAttributes=["email"])["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="web", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    )["UserPoolClient"]["ClientId"]
    return CognitoAccounts(pool, client).token("minji@example.com")


def told_by_logs() -> str:
    """What the functions have logged."""
    logs = boto3.client("logs")
    lines = []
    for name in ("connect", "disconnect", "send", "history"):
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{STACK}-{name}")
        lines += [event["message"] for page in pages for event in page["events"]]
    return "\n".join(lines)


def check_logs(logs: str) -> None:
    """Checks that the logs tell what happened, but not what people said, who they are, or what they signed in with."""
    for told in ("connected", "refused", '"outcome":"stored"', '"outcome":"duplicate"', '"Sends":', '"Gone":'):
        if told not in logs:
            sys.exit(f"the functions' logs do not tell: {told}")
    # `eyJ` is how a token begins, which is JSON in base64. The last four are texts that the tests send.
    for secret in ("@example.com", "eyJ", "안녕하세요", "again from minji", "the field", "is anybody there"):
        if secret in logs:
            sys.exit(f"the functions' logs hold {secret}")


def main() -> int:
    # SIGTERM ends this program like Ctrl+C, so that it stops what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    zips = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        with emulated_aws(pathlib.Path(folder)) as endpoint:
            os.environ.update(
                AWS_ENDPOINT_URL=endpoint,
                AWS_DEFAULT_REGION=REGION,
                AWS_ACCESS_KEY_ID="test",
                AWS_SECRET_ACCESS_KEY="test",
            )
            outputs = deploy(zips)
            socket_api = outputs["WebSocketUrl"].removeprefix("wss://").split(".")[0]
            rest_api = outputs["RestUrl"].removeprefix("https://").split(".")[0]
            point_at(endpoint, socket_api)
            let_the_gateway_refuse(expand(), rest_api)
            at = f"127.0.0.1:{endpoint.rsplit(':', maxsplit=1)[1]}/_aws/execute-api"
            environment = {
                **os.environ,
                "E2E_TARGET": "deployed",
                "OWN_KINDS": OWN_KINDS,
                "ORIGIN": ORIGIN,
                "WS_URL": f"ws://{at}/{socket_api}/prod",
                "REST_URL": f"http://{at}/{rest_api}/prod",
                "COGNITO_USER_POOL_ID": outputs["UserPool"],
                "COGNITO_CLIENT_ID": outputs["UserPoolClient"],
                "CONNECTIONS_TABLE": "playground-connections",
                "ATTACHMENTS_BUCKET": outputs["AttachmentsBucketName"],
                "AWS_REGION": REGION,
                "CHAT_ADMIN": program("chat-admin"),
                "WEBSOCKET_CALLBACK_URL": callback_url(endpoint, socket_api),
                "FOREIGN_TOKEN": token_of_another_pool(),
            }
            story = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", ROOT / "proof" / "e2e", *sys.argv[2:]]
            result = subprocess.run(story, env=environment).returncode
            if result == 0:
                check_logs(told_by_logs())
            if result != 0:
                log = (pathlib.Path(folder) / "log").read_text(encoding="utf-8").splitlines()
                print("the emulator's log ends:", *log[-200:], sep="\n", file=sys.stderr)
            return result


if __name__ == "__main__":
    sys.exit(main())
