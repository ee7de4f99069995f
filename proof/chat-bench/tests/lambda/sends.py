#!/usr/bin/env python3
"""A function that makes the calls of a send, and decides nothing. `twice`: pushes twice. `lies`: answers without sending."""

import http.client
import json
import os
import ssl
import sys
from urllib.parse import urlsplit

HOW = sys.argv[1] if len(sys.argv) > 1 else ""
RUNTIME = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def connected(url):
    if url.scheme == "http":
        return http.client.HTTPConnection(url.netloc)
    return http.client.HTTPSConnection(url.netloc, context=ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"]))


GATEWAY = urlsplit(os.environ["WEBSOCKET_CALLBACK_URL"])
DYNAMODB = connected(urlsplit(os.environ["AWS_ENDPOINT_URL_DYNAMODB"]))
CONNECTIONS = connected(GATEWAY)


def call(connection, method, path, body=None, headers=None):
    connection.request(method, path, None if body is None else json.dumps(body), headers or {})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status < 300, (path, answer.status)
    return answer.headers, json.loads(text or b"{}")


def dynamodb(operation, request):
    return call(DYNAMODB, "POST", "/", request, {"X-Amz-Target": f"DynamoDB_20120810.{operation}"})[1]


def connections_of(email):
    table = os.environ["CONNECTIONS_TABLE"]
    query = {"TableName": table, "IndexName": "email-index", "ExpressionAttributeValues": {":email": {"S": email}}}
    return [row["connectionId"]["S"] for row in dynamodb("Query", query)["Items"]]


def send(event, sender):
    frame = json.loads(event["body"])
    receiver = frame["receiverEmail"]
    room = "#".join(sorted([sender, receiver]))
    head = dynamodb("GetItem", {"TableName": os.environ["ROOMS_TABLE"], "Key": {"roomId": {"S": room}}})["Item"]
    dynamodb("Query", {"TableName": os.environ["MESSAGES_TABLE"], "ExpressionAttributeValues": {":room": {"S": room}}})
    audience = connections_of(sender) + connections_of(receiver)
    if HOW != "lies":
        condition = {"ConditionExpression": "as ever"}
        put = {"TableName": os.environ["MESSAGES_TABLE"], **condition}
        update = {"TableName": os.environ["ROOMS_TABLE"], **condition}
        dynamodb("UpdateItem", update)
        dynamodb("PutItem", put)
    for connection in audience:
        if connection != event["requestContext"]["connectionId"]:
            for _ in range(2 if HOW == "twice" else 1):
                call(CONNECTIONS, "POST", f"{GATEWAY.path}/@connections/{connection}", frame)
    seq = int(head["seq"]["N"]) + (HOW != "lies")
    return {"statusCode": 200, "body": json.dumps({"type": "sent", "seq": seq})}


def main():
    known = {}
    while True:
        headers, event = call(RUNTIME, "GET", "/2018-06-01/runtime/invocation/next")
        connection = event["requestContext"]["connectionId"]
        if connection not in known:
            get = {"TableName": os.environ["CONNECTIONS_TABLE"], "Key": {"connectionId": {"S": connection}}}
            known[connection] = dynamodb("GetItem", get)["Item"]["email"]["S"]
        answer = send(event, known[connection])
        path = f"/2018-06-01/runtime/invocation/{headers['lambda-runtime-aws-request-id']}/response"
        call(RUNTIME, "POST", path, answer)


if __name__ == "__main__":
    main()
