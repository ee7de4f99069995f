#!/usr/bin/env python3
"""A function in another language than ours: it speaks the Runtime API, and asks the services that it is told of."""
import json
import os
from urllib.error import HTTPError
from urllib.request import Request, urlopen

RUNTIME = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"


def ask(service, target, body):
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"}
    url = os.environ[f"AWS_ENDPOINT_URL_{service}"]
    with urlopen(Request(f"{url}/", json.dumps(body).encode(), headers)) as answer:
        return json.load(answer)


def connect(event):
    token = (event.get("queryStringParameters") or {}).get("token", "")
    try:
        ask("COGNITO_IDENTITY_PROVIDER", "AWSCognitoIdentityProviderService.GetUser", {"AccessToken": token})
    except HTTPError:
        return {"statusCode": 401}
    return {"statusCode": 200}


def disconnect(event):
    return {"statusCode": 200}


def send(event):
    connection = event["requestContext"]["connectionId"]
    url = f"{os.environ['WEBSOCKET_CALLBACK_URL']}/@connections/{connection}"
    with urlopen(Request(url, b'"pushed"')):
        return {"statusCode": 200, "body": json.dumps({"echo": json.loads(event["body"])})}


def history(event):
    tables = ask("DYNAMODB", "DynamoDB_20120810.ListTables", {})["TableNames"]
    return {"statusCode": 200, "body": json.dumps(tables)}


handle = globals()[os.environ["AWS_LAMBDA_FUNCTION_NAME"].rsplit("-", 1)[1]]
while True:
    with urlopen(f"{RUNTIME}/next") as invocation:
        request_id, event = invocation.headers["Lambda-Runtime-Aws-Request-Id"], json.load(invocation)
    with urlopen(Request(f"{RUNTIME}/{request_id}/response", json.dumps(handle(event)).encode())):
        pass
