"""The chat under test, and people who use it, for the end-to-end tests."""

import contextlib
import json
import os
import socket
import struct
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

# This is longer than a cold start on an emulator takes. An answer that does not come within it is a failure.
WITHIN_SECONDS = 30.0
# A room that both have left is removed after a minute, when no write of before can still arrive.
OPERATED_WITHIN_SECONDS = 60 + WITHIN_SECONDS
EMPTY_ROOM = "1970-01-01T00:00:00.000Z"


def new_id() -> str:
    return str(uuid.uuid4())


class Accounts:
    """A way in which people get tokens."""

    def token(self, email: str) -> str:
        """A token of somebody who may use the chat."""
        raise NotImplementedError

    def close(self) -> None:
        """Removes the people who were added."""


class DevAccounts(Accounts):
    """chat-local signs anybody in."""

    def __init__(self, login_url: str):
        self.login_url = login_url

    def token(self, email: str) -> str:
        answer = httpx.post(self.login_url, json={"email": email}, timeout=WITHIN_SECONDS)
        assert answer.status_code == 200, answer.text
        return answer.json()["accessToken"]


class CognitoAccounts(Accounts):
    """Users of a pool, whose addresses nobody reads: they are made verified, and deleted afterwards.

    Needs AWS credentials that may administer the pool, and an app client that takes passwords (the template's
    `PasswordSignIn`).
    """

    # Every pool accepts this password.
    PASSWORD = "Correct-horse-battery-staple-1"

    def __init__(self, pool: str, client: str):
        import boto3

        self.pool, self.client = pool, client
        self.cognito = boto3.client("cognito-idp", region_name=pool.split("_", maxsplit=1)[0])
        self.added: list[str] = []

    def token(self, email: str) -> str:
        if email not in self.added:
            verified = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
            user = {"UserPoolId": self.pool, "Username": email}
            self.cognito.admin_create_user(**user, UserAttributes=verified, MessageAction="SUPPRESS")
            self.added.append(email)
            self.cognito.admin_set_user_password(**user, Password=self.PASSWORD, Permanent=True)
        return self.sign_in(email)

    def sign_in(self, email: str) -> str:
        secrets = {"USERNAME": email, "PASSWORD": self.PASSWORD}
        answer = self.cognito.initiate_auth(ClientId=self.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=secrets)
        return answer["AuthenticationResult"]["AccessToken"]

    def sign_up(self, email: str) -> None:
        """Signs somebody up as the sign-in page does, and confirms them; their address stays unverified."""
        self.cognito.sign_up(ClientId=self.client, Username=email, Password=self.PASSWORD)
        self.added.append(email)
        self.cognito.admin_confirm_sign_up(UserPoolId=self.pool, Username=email)

    def forget(self, email: str) -> None:
        """Deletes the account of an address: the next one is another account."""
        self.cognito.admin_delete_user(UserPoolId=self.pool, Username=email)
        self.added.remove(email)

    def set_verified(self, email: str, verified: bool) -> None:
        attributes = [{"Name": "email_verified", "Value": str(verified).lower()}]
        self.cognito.admin_update_user_attributes(UserPoolId=self.pool, Username=email, UserAttributes=attributes)

    def close(self) -> None:
        for email in self.added:
            self.cognito.admin_delete_user(UserPoolId=self.pool, Username=email)


class Rows:
    """The chat's connections, for those who can look at its database."""

    def __init__(self, table: str):
        import boto3

        self.table = boto3.resource("dynamodb").Table(table)

    def plant(self, email: str, seconds_ago: int = 3_600) -> str:
        """A row of a connection that is gone, old enough for that to be believed."""
        now = time.time()
        name = f"gone-{uuid.uuid4().hex}="
        self.table.put_item(
            Item={
                "connectionId": name,
                "email": email,
                "userId": "nobody",
                "connectedAt": timestamp(now - seconds_ago),
                "authExpiresAt": timestamp(now + 3_600),
                "ttl": int(now + 3_600),
            }
        )
        return name

    def has(self, name: str) -> bool:
        return "Item" in self.table.get_item(Key={"connectionId": name}, ConsistentRead=True)

    def of(self, email: str) -> list[str]:
        from boto3.dynamodb.conditions import Key

        rows = self.table.query(IndexName="email-index", KeyConditionExpression=Key("email").eq(email))
        return [row["connectionId"] for row in rows["Items"]]

    def delete(self, name: str) -> None:
        self.table.delete_item(Key={"connectionId": name})


class Admin:
    """chat-admin, for those who may look into the chat's tables and its bucket: it finds them by its environment."""

    def __init__(self, program: str):
        self.program = program

    def report(self, command: str, person: "Person", *more: str) -> dict:
        return self.run(command, "--email", person.email, *more)

    def run(self, *arguments: str):
        command = [self.program, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=OPERATED_WITHIN_SECONDS)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def await_that(condition: Callable[[], bool]) -> None:
    """Waits until something has happened that no frame tells."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {WITHIN_SECONDS} s"
        time.sleep(0.05)


def timestamp(seconds: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds * 1000) % 1000:03d}Z"


@dataclass
class Chat:
    """The addresses of a chat, and what the tests can reach of it."""

    ws_url: str
    rest_url: str
    accounts: Accounts
    # The origin of a web page that may use the chat.
    origin: str | None = None
    foreign_token: str | None = None
    rows: Rows | None = None
    admin: Admin | None = None
    # Whether images have another origin than the page.
    has_bucket: bool = False
    # Whether the chat admits messages of the kind `x-order`.
    has_own_kinds: bool = False
    open_sockets: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def connect(self, token: str | None, *, subprotocol: bool = True, origin: str | None = None) -> "Device":
        offered = ["chat.v1", token] if subprotocol and token is not None else None
        url = self.ws_url if subprotocol or token is None else f"{self.ws_url}?token={token}"
        # API Gateway offers no compression.
        opening = connect(url, subprotocols=offered, origin=origin, compression=None, open_timeout=WITHIN_SECONDS)
        device = Device(self.open_sockets.enter_context(opening))
        # The list of connections lags by a moment on DynamoDB; by the time of an answer it has caught up.
        assert device.ask({"action": "ping"})["type"] == "pong"
        return device

    def person(self, email: str) -> "Person":
        return Person(self, email, self.accounts.token(email))


@dataclass
class Person:
    chat: Chat
    email: str
    token: str

    def connect(self) -> "Device":
        return self.chat.connect(self.token)

    def request(self, method: str, path: str, **more) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        url = self.chat.rest_url + path
        return httpx.request(method, url, headers=headers, timeout=WITHIN_SECONDS, **more)

    def get(self, path: str, **query) -> dict:
        answer = self.request("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: dict) -> dict:
        answer = self.request("POST", path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def history(self, peer: "Person", **query) -> dict:
        return self.get("/chat/history", **{"with": peer.email}, **query)


class Device:
    """One open socket. Frames that come before they are asked for are kept."""

    def __init__(self, socket: ClientConnection):
        self.socket = socket
        self.early: list[dict] = []

    def say(self, frame: dict | str) -> None:
        self.socket.send(frame if isinstance(frame, str) else json.dumps(frame))

    def await_frame(self, *types: str) -> dict:
        """The next frame of one of these types."""
        for place, frame in enumerate(self.early):
            if frame["type"] in types:
                return self.early.pop(place)
        deadline = time.monotonic() + WITHIN_SECONDS
        while True:
            try:
                frame = json.loads(self.socket.recv(timeout=deadline - time.monotonic()))
            except TimeoutError:
                raise AssertionError(f"no {' or '.join(types)} within {WITHIN_SECONDS} s, but {self.early}") from None
            if frame["type"] in types:
                return frame
            self.early.append(frame)

    def ask(self, frame: dict | str) -> dict:
        """Sends a frame and waits for its answer."""
        self.say(frame)
        return self.await_frame("sent", "pong", "reauth", "error")

    def decide(self, action: str, peer: Person) -> dict:
        """Accepts a peer's request, blocks the peer, or lifts that."""
        self.say({"action": action, "peerEmail": peer.email})
        return self.await_frame(action, "error")

    def decides(self, action: str, peer: Person) -> dict:
        answer = self.decide(action, peer)
        assert (answer["type"], answer.get("peerEmail")) == (action, peer.email), answer
        return answer

    def mark_read(self, peer: Person, up_to: str) -> dict:
        self.say({"action": "markRead", "peerEmail": peer.email, "upTo": up_to})
        return self.await_frame("read", "error")

    def send(self, to: Person, text: str, **more) -> dict:
        return self.ask({"action": "sendMessage", "receiverEmail": to.email, "message": text, **more})

    def sends(self, to: Person, text: str, **more) -> dict:
        """Sends a message that has to be accepted."""
        answer = self.send(to, text, **more)
        assert answer["type"] == "sent", answer
        return answer

    def hears_nothing_more(self) -> None:
        """Checks that every frame pushed before this call was awaited by the test."""
        assert self.ask({"action": "ping"})["type"] == "pong"
        assert self.early == []

    def await_close(self) -> None:
        try:
            while True:
                self.early.append(json.loads(self.socket.recv(timeout=WITHIN_SECONDS)))
        except ConnectionClosed:
            pass

    def vanish(self) -> None:
        """Ends the connection as a phone without a network does: no farewell, a reset."""
        self.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.socket.close()

    def close(self) -> None:
        self.socket.close()


def befriend(one: Person, other: Person) -> None:
    """One writes to the other, who accepts it: from then on they are no strangers."""
    devices = one.connect(), other.connect()
    devices[0].sends(other, "Hi, it is me")
    devices[1].decides("accept", one)
    for device in devices:
        device.close()


def needed(variable: str) -> str:
    if value := os.environ.get(variable):
        return value
    raise LookupError(f"which chat? {variable} is not set; proof/e2e/README.md says what to set")


def chat_from_environment() -> Chat:
    """The chat that the environment names: `URL` of a web page with a config.json, or everything one by one."""
    variable = os.environ.get
    if url := variable("URL"):
        config = httpx.get(f"{url.rstrip('/')}/config.json", timeout=WITHIN_SECONDS).raise_for_status().json()
        ws_url, rest_url, auth = config["wsUrl"], config["restUrl"], config["auth"]
    else:
        ws_url, rest_url = needed("WS_URL"), needed("REST_URL")
        auth = {"mode": "oidc", "authority": needed("COGNITO_USER_POOL_ID"), "clientId": needed("COGNITO_CLIENT_ID")}
    if auth["mode"] == "dev":
        accounts = DevAccounts(auth["loginUrl"])
    else:
        accounts = CognitoAccounts(auth["authority"].rsplit("/", maxsplit=1)[-1], auth["clientId"])
    table = variable("CONNECTIONS_TABLE")
    return Chat(
        ws_url=ws_url.rstrip("/"),
        rest_url=rest_url.rstrip("/"),
        accounts=accounts,
        origin=url.rstrip("/") if url else variable("ORIGIN"),
        foreign_token=variable("FOREIGN_TOKEN"),
        rows=Rows(table) if table else None,
        admin=Admin(program) if (program := variable("CHAT_ADMIN")) else None,
        has_bucket=bool(variable("ATTACHMENTS_BUCKET")),
        has_own_kinds="x-order" in variable("OWN_KINDS", "").split(","),
    )
