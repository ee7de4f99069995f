#!/usr/bin/env python3
"""A runtime that does what its events say, for the tests."""

import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

HOST = os.environ["AWS_LAMBDA_RUNTIME_API"]
API = "/2018-06-01/runtime"


def call(method, path, body=None, headers=None, **how):
    """On a connection of its own: what else waits does not matter."""
    connection = http.client.HTTPConnection(HOST)
    connection.request(method, API + path, body, headers or {}, **how)
    answer = connection.getresponse()
    return {"status": answer.status, "headers": {name.lower(): value for name, value in answer.headers.items()}, "body": answer.read().decode()}


def raw(text):
    """Sends bytes as they are; answers the status."""
    host, port = HOST.split(":")
    with socket.create_connection((host, int(port))) as wire:
        wire.sendall(text.encode())
        return int(wire.recv(4096).split()[1])


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.005)


def touch(path):
    pathlib.Path(path).touch()


def count(path):
    """Work in the background, a byte at a time."""
    while True:
        with open(path, "a", encoding="ascii") as file:
            file.write(".")
        time.sleep(0.001)


def init():
    how = os.environ.get("INIT", "")
    print("init", how, flush=True)
    if how.startswith("once:") and not os.path.exists(how[5:]):
        touch(how[5:])
        sys.exit(3)
    if how == "exit":
        sys.exit(4)
    if how == "report":
        report = json.dumps({"errorType": "Runtime.NoSuchHandler", "errorMessage": "no handler named x"})
        print(call("POST", "/init/error", report, {"Lambda-Runtime-Function-Error-Type": "Unused"}), flush=True)
        sys.exit(1)
    if how == "hang":
        while True:
            time.sleep(60)


def handle(event, given):
    """The answer and what is to be done after it."""
    do, path = event.get("do"), event.get("path", "")
    ours = f"/invocation/{given['lambda-runtime-aws-request-id']}"
    later = lambda: None
    if do == "environment":
        with open("/proc/self/environ", encoding="utf-8") as file:
            return dict(pair.split("=", 1) for pair in file.read().split("\0") if pair), later
    if do == "where":
        return {"cwd": os.getcwd()}, later
    if do == "exit":
        os._exit(7)
    if do == "hang":
        wait_for("/nowhere")
    if do == "wait":
        touch(f"{path}.{os.getpid()}")
        wait_for(path)
    if do == "linger":
        return {"pid": os.getpid()}, lambda: wait_for(path)
    if do == "leave":
        return {"pid": os.getpid()}, lambda: os._exit(8)
    if do == "count":
        threading.Thread(target=count, args=[path], daemon=True).start()
        wait_for(path)
    if do == "child":
        return {"child": subprocess.Popen(["sleep", "1000"]).pid}, later
    if do == "log":
        print("first line", flush=True)
        print("to stderr", file=sys.stderr, flush=True)
        print("x" * (256 * 1024 + 1), flush=True)
        sys.stdout.buffer.write(b"not UTF-8: \xff\nno end")
        sys.stdout.flush()
    if do == "stale":
        stale = call("POST", "/invocation/00000000-0000-4000-8000-000000000000/response", "{}")
        early = call("GET", "/invocation/next")
        late = call("POST", "/init/error", "{}")
        unknown = call("GET", "/invocation/none")
        return {"stale": stale, "early": early, "late": late, "unknown": unknown}, later
    if do == "twice":
        return {}, lambda: touch(f"{path}.{call('POST', ours + '/response', '{}')['status']}")
    return {"event": event, "given": given, "pid": os.getpid()}, later


def main():
    init()
    while True:
        answer = call("GET", "/invocation/next")
        event, given = json.loads(answer["body"]), answer["headers"]
        ours = f"/invocation/{given['lambda-runtime-aws-request-id']}"
        do = event.get("do")
        if do == "fail":
            report = json.dumps({"errorType": "KeyError", "errorMessage": "'user'", "stackTrace": []})
            accepted = call("POST", ours + "/error", report, {"Lambda-Runtime-Function-Error-Type": "Unhandled"})
        elif do == "fail without JSON":
            header = {"Lambda-Runtime-Function-Error-Type": "Runtime.Odd"}
            accepted = call("POST", ours + "/error", "it broke", header)
        elif do == "too large":
            status = call("POST", ours + "/response", "x" * (6 * 1024 * 1024 + 101))["status"]
            touch(f"{event['path']}.{status}")
            continue
        elif do == "stream":
            header = {"Lambda-Runtime-Function-Response-Mode": "streaming"}
            parts = iter([b'{"parts":', b" [1,", b" 2]}"])
            accepted = call("POST", ours + "/response", parts, header, encode_chunked=True)
        elif do == "break off":
            accepted = {"status": raw(
                f"POST {API}{ours}/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n"
                '5\r\n{"par\r\n0\r\nLambda-Runtime-Function-Error-Type: Runtime.StreamError\r\n'
                # {"errorType":"StreamError","errorMessage":"no more"}
                "Lambda-Runtime-Function-Error-Body: eyJlcnJvclR5cGUiOiJTdHJlYW1FcnJvciIsImVycm9yTWVzc2FnZSI6Im5vIG1vcmUifQ==\r\n\r\n"
            )}
        else:
            body, later = handle(event, given)
            accepted = call("POST", ours + "/response", json.dumps(body))
            later()
        assert accepted["status"] == 202, accepted


if __name__ == "__main__":
    main()
