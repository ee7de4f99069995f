"""End-to-end tests of a chat, wherever it runs.

Each test has people of its own, so that the tests can run against a deployment that others use, and run again.
"""

import pathlib
import re
import struct
import time
import zlib

import httpx
import pytest
import yaml
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chat import EMPTY_ROOM, WITHIN_SECONDS, Device, await_that, befriend, new_id, timestamp

# All routes of REST, as they are generated from the table of chat-wire.
OPENAPI = yaml.safe_load((pathlib.Path(__file__).resolve().parents[2] / "docs/openapi.yaml").read_text(encoding="utf-8"))

# ---- Getting in


def test_a_token_comes_as_a_subprotocol(chat, minji_and_junho):
    minji, _ = minji_and_junho
    assert chat.connect(minji.token).socket.subprotocol == "chat.v1"


def test_a_token_comes_in_the_url_as_in_the_seed(chat, minji_and_junho):
    minji, _ = minji_and_junho
    device = chat.connect(minji.token, subprotocol=False)
    assert device.socket.subprotocol is None


def is_refused(chat, token, **more):
    with pytest.raises(InvalidStatus) as refused:
        chat.connect(token, **more)
    # API Gateway passes the function's status on; stand-ins may send one of their own.
    assert 400 <= refused.value.response.status_code < 500


@pytest.mark.parametrize("subprotocol", [True, False])
def test_nobody_connects_without_a_good_token(chat, subprotocol):
    is_refused(chat, None)
    is_refused(chat, "garbage", subprotocol=subprotocol)
    is_refused(chat, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtaW5qaSJ9.x", subprotocol=subprotocol)


@pytest.mark.needs("second_pool")
def test_a_token_of_another_pool_is_refused(chat):
    is_refused(chat, chat.foreign_token)
    answer = httpx.get(f"{chat.rest_url}/chat/conversations", headers={"authorization": f"Bearer {chat.foreign_token}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


@pytest.mark.needs("cognito")
def test_who_signs_up_gets_in_once_the_address_is_verified(chat):
    email = f"minji+{new_id()}@example.com"
    chat.accounts.sign_up(email)
    # The test sets this, since not every pool has it by default.
    chat.accounts.set_verified(email, False)
    is_refused(chat, chat.accounts.sign_in(email))
    chat.accounts.set_verified(email, True)
    assert chat.connect(chat.accounts.sign_in(email)).ask({"action": "ping"})["type"] == "pong"


def test_a_page_of_another_origin_is_refused(chat, minji_and_junho):
    minji, _ = minji_and_junho
    is_refused(chat, minji.token, origin="https://elsewhere.example.com")


@pytest.mark.needs("page")
def test_the_chats_own_page_may_use_it(chat, minji_and_junho):
    minji, _ = minji_and_junho
    assert chat.connect(minji.token, origin=chat.origin).ask({"action": "ping"})["type"] == "pong"
    url = f"{chat.rest_url}/chat/conversations"
    for method in ("OPTIONS", "GET"):
        answer = httpx.request(method, url, headers={"origin": chat.origin, "authorization": f"Bearer {minji.token}"})
        assert answer.is_success, answer.text
        # A gateway that answers preflights itself lets any page ask.
        anybody = ("*", None) if method == "OPTIONS" else None
        assert (answer.headers["access-control-allow-origin"], answer.headers.get("vary")) in ((chat.origin, "Origin"), anybody)


def test_rest_needs_a_token(chat):
    for headers in ({}, {"authorization": "Bearer garbage"}, {"authorization": "Basic bWluamk6"}):
        answer = httpx.get(f"{chat.rest_url}/chat/conversations", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_a_browser_may_ask_first(chat):
    for resource in OPENAPI["paths"]:
        path = re.sub(r"\{\w+\}", "x", resource)
        answer = httpx.options(f"{chat.rest_url}{path}", headers={"origin": "https://elsewhere.example.com"})
        assert answer.is_success, path
        assert "authorization" in answer.headers["access-control-allow-headers"]


def test_a_page_of_another_origin_cannot_read_what_is_answered(chat, minji_and_junho):
    minji, _ = minji_and_junho
    headers = {"origin": "https://elsewhere.example.com", "authorization": f"Bearer {minji.token}"}
    answer = httpx.get(f"{chat.rest_url}/chat/conversations", headers=headers)
    assert answer.is_success and "access-control-allow-origin" not in answer.headers


# ---- Sending


def test_the_seeds_own_frame_is_enough(minji_and_junho):
    minji, junho = minji_and_junho
    phone, other = minji.connect(), junho.connect()
    sent = phone.ask({"action": "sendMessage", "receiverEmail": junho.email, "message": "안녕하세요"})
    assert sent == {
        "type": "sent",
        "clientMessageId": sent["clientMessageId"],
        "roomId": "#".join(sorted([minji.email, junho.email])),
        "timestamp": sent["timestamp"],
        "seq": 1,
        "duplicate": False,
    }
    assert other.await_frame("message") == {
        "type": "message",
        "roomId": sent["roomId"],
        "timestamp": sent["timestamp"],
        "seq": 1,
        "senderEmail": minji.email,
        "receiverEmail": junho.email,
        "message": "안녕하세요",
        "read": False,
        "kind": "text",
        "clientMessageId": sent["clientMessageId"],
    }
    phone.hears_nothing_more()


def test_messages_go_both_ways_in_one_order(minji_and_junho):
    minji, junho = minji_and_junho
    one, two = minji.connect(), junho.connect()
    acks = [one.sends(junho, "1"), two.sends(minji, "2"), one.sends(junho, "3"), two.sends(minji, "4")]
    assert [ack["seq"] for ack in acks] == [1, 2, 3, 4]
    stamps = [ack["timestamp"] for ack in acks]
    assert stamps == sorted(set(stamps))
    assert [two.await_frame("message")["message"] for _ in range(2)] == ["1", "3"]
    assert [one.await_frame("message")["message"] for _ in range(2)] == ["2", "4"]
    assert [row["message"] for row in minji.history(junho)["messages"]] == ["4", "3", "2", "1"]
    assert minji.history(junho)["messages"] == junho.history(minji)["messages"]


def test_an_address_is_the_same_however_it_is_typed(minji_and_junho):
    minji, junho = minji_and_junho
    device = junho.connect()
    minji.connect().ask({"action": "sendMessage", "receiverEmail": f" {junho.email.upper()} ", "message": "hello"})
    assert device.await_frame("message")["receiverEmail"] == junho.email


def test_a_retry_gets_the_original_ack_from_any_device(minji_and_junho):
    minji, junho = minji_and_junho
    device = junho.connect()
    named = {"clientMessageId": new_id(), "after": EMPTY_ROOM}
    first = minji.connect().sends(junho, "once", **named)
    assert (first["clientMessageId"], first["duplicate"]) == (named["clientMessageId"], False)
    phone = minji.connect()
    assert phone.sends(junho, "once", **named) == {**first, "duplicate": True}
    # This is far behind the eight ids that the head remembers.
    for number in range(9):
        phone.sends(junho, str(number))
    assert phone.sends(junho, "once", **named) == {**first, "duplicate": True}
    texts = [device.await_frame("message")["message"] for _ in range(10)]
    assert texts == ["once", *map(str, range(9))]
    device.hears_nothing_more()
    assert [row["message"] for row in minji.history(junho)["messages"]].count("once") == 1


def test_a_reused_id_is_told_apart_from_a_retry(minji_and_junho):
    minji, junho = minji_and_junho
    phone, named = minji.connect(), {"clientMessageId": new_id(), "after": EMPTY_ROOM}
    phone.sends(junho, "one", **named)
    error = phone.send(junho, "other", **named)
    assert (error["type"], error["code"], error["retryable"]) == ("error", "idReused", False)
    assert error["clientMessageId"] == named["clientMessageId"]
    assert [row["message"] for row in minji.history(junho)["messages"]] == ["one"]


def test_all_devices_of_both_see_the_same(minji_and_junho):
    minji, junho = minji_and_junho
    phone, laptop = minji.connect(), minji.connect()
    others = [junho.connect(), junho.connect()]
    sent = phone.sends(junho, "hello")
    frames = [device.await_frame("message") for device in (laptop, *others)]
    assert frames[0] == frames[1] == frames[2]
    assert (frames[0]["timestamp"], frames[0]["seq"]) == (sent["timestamp"], sent["seq"])
    phone.hears_nothing_more()


# ---- Reading


def test_history_comes_in_pages_both_ways(minji_and_junho):
    minji, junho = minji_and_junho
    phone = minji.connect()
    acks = [phone.sends(junho, str(number)) for number in range(1, 8)]

    page = junho.history(minji, limit=3)
    assert [row["message"] for row in page["messages"]] == ["7", "6", "5"]
    assert (page["hasMore"], page["nextBefore"]) == (True, acks[4]["timestamp"])
    page = junho.history(minji, limit=3, before=page["nextBefore"])
    assert [row["message"] for row in page["messages"]] == ["4", "3", "2"]
    page = junho.history(minji, limit=3, before=page["nextBefore"])
    assert [row["message"] for row in page["messages"]] == ["1"]
    assert page["hasMore"] is False and "nextBefore" not in page

    page = junho.history(minji, limit=4, after=acks[1]["timestamp"])
    assert [row["message"] for row in page["messages"]] == ["3", "4", "5", "6"]
    assert (page["hasMore"], page["nextAfter"]) == (True, acks[5]["timestamp"])
    page = junho.history(minji, limit=4, after=page["nextAfter"])
    assert [row["message"] for row in page["messages"]] == ["7"]
    assert (page["hasMore"], page["nextAfter"]) == (False, acks[6]["timestamp"])
    assert [row["seq"] for row in junho.history(minji)["messages"]] == [7, 6, 5, 4, 3, 2, 1]


def test_an_answer_is_not_to_be_kept_by_anybody_between(minji_and_junho):
    minji, junho = minji_and_junho
    answer = minji.request("GET", "/chat/history", params={"with": junho.email})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["messages"] == []


def test_what_is_read_shows_on_both_sides(minji_and_junho):
    minji, junho = minji_and_junho
    phone, laptop, other = minji.connect(), minji.connect(), junho.connect()
    acks = [phone.sends(junho, str(number)) for number in range(3)]
    assert [row["read"] for row in minji.history(junho)["messages"]] == [False, False, False]
    other.decides("accept", minji)

    told = other.mark_read(minji, acks[1]["timestamp"])
    assert told == {
        "type": "read",
        "roomId": acks[0]["roomId"],
        "readerEmail": junho.email,
        "upTo": acks[1]["timestamp"],
    }
    assert phone.await_frame("read") == laptop.await_frame("read") == told
    history = minji.history(junho)
    assert [row["read"] for row in history["messages"]] == [False, True, True]
    assert (history["peerReadUpTo"], history["myReadUpTo"]) == (acks[1]["timestamp"], None)
    assert junho.history(minji)["myReadUpTo"] == acks[1]["timestamp"]

    # A mark never moves back, and never passes the newest message.
    assert other.mark_read(minji, acks[0]["timestamp"])["upTo"] == acks[1]["timestamp"]
    assert other.mark_read(minji, timestamp(time.time() + 3_600))["upTo"] == acks[2]["timestamp"]


def test_conversations_stand_newest_first_with_what_is_unread(people):
    minji, junho, mina = people("minji", "junho", "mina")
    one, two = minji.connect(), mina.connect()
    assert junho.get("/chat/conversations") == {"conversations": [], "totalUnread": 0, "nextCursor": None}
    one.sends(junho, "from minji")
    earlier = two.sends(junho, "from mina")["timestamp"]
    # If two rooms have the same millisecond, neither is the newer one.
    await_that(lambda: one.ask({"action": "ping"})["serverTime"] > earlier)
    last = one.sends(junho, "again from minji")

    listed = junho.get("/chat/conversations")
    assert [row["peerEmail"] for row in listed["conversations"]] == [minji.email, mina.email]
    assert (listed["totalUnread"], listed["nextCursor"]) == (3, None)
    assert listed["conversations"][0] == {
        "peerEmail": minji.email,
        "preview": "again from minji",
        "lastTimestamp": last["timestamp"],
        "lastSeq": 2,
        "lastSenderEmail": minji.email,
        "lastKind": "text",
        "unread": 2,
        "peerReadUpTo": None,
        "request": "incoming",
        "blocked": False,
    }
    device = junho.connect()
    device.decides("accept", minji)
    device.mark_read(minji, last["timestamp"])
    assert junho.get("/chat/conversations")["totalUnread"] == 1
    (row,) = minji.get("/chat/conversations")["conversations"]
    assert (row["unread"], row["peerReadUpTo"]) == (0, last["timestamp"])


# ---- Among strangers


def refused(answer: dict) -> bool:
    return (answer["type"], answer["code"], answer["retryable"]) == ("error", "notAccepted", False)


def listed(person) -> dict:
    (row,) = person.get("/chat/conversations")["conversations"]
    return row


def test_a_request_says_little_until_it_is_accepted(minji_and_junho):
    minji, junho = minji_and_junho
    phone, other, tablet = minji.connect(), junho.connect(), junho.connect()
    last = [phone.sends(junho, str(number)) for number in range(10)][-1]
    assert refused(phone.send(junho, "and one more"))
    facts = {"contentType": "image/png", "size": 9, "width": 1, "height": 1}
    answer = minji.request("POST", "/chat/uploads", json={"with": junho.email, **facts})
    assert (answer.status_code, answer.json()["code"]) == (403, "notAccepted")
    assert (listed(minji)["request"], listed(junho)["request"]) == ("outgoing", "incoming")
    assert (junho.history(minji)["request"], listed(junho)["unread"]) == ("incoming", 10)

    # Neither learns that the other types or reads.
    other.mark_read(minji, last["timestamp"])
    other.say({"action": "typing", "receiverEmail": minji.email})
    phone.say({"action": "typing", "receiverEmail": junho.email})
    assert (listed(minji)["peerReadUpTo"], listed(junho)["unread"]) == (None, 0)
    assert not any(row["read"] for row in minji.history(junho)["messages"])
    phone.hears_nothing_more()
    assert [other.await_frame("message")["seq"] for _ in range(10)] == list(range(1, 11))
    other.hears_nothing_more()

    accepted = other.decides("accept", minji)
    assert accepted == {"type": "accept", "roomId": last["roomId"], "peerEmail": minji.email}
    assert tablet.await_frame("accept") == accepted
    assert other.decides("accept", minji) == accepted
    assert "request" not in listed(minji) and "request" not in listed(junho)
    assert listed(minji)["peerReadUpTo"] == last["timestamp"]
    phone.sends(junho, "and one more")


def test_an_answer_accepts_a_request(minji_and_junho):
    minji, junho = minji_and_junho
    phone = minji.connect()
    for number in range(10):
        phone.sends(junho, str(number))
    junho.connect().sends(minji, "who are you?")
    assert "request" not in listed(minji)
    phone.sends(junho, "it is me")


def test_nothing_of_a_blocked_person_arrives(minji_and_junho):
    minji, junho = minji_and_junho
    phone, other, tablet = minji.connect(), junho.connect(), junho.connect()
    named = {"clientMessageId": new_id(), "after": EMPTY_ROOM}
    first = phone.sends(junho, "hello", **named)
    answer = other.sends(minji, "who are you?")
    phone.await_frame("message")
    assert junho.get("/chat/blocked") == {"blocked": [], "nextCursor": None}

    blocked = other.decides("block", minji)
    assert tablet.await_frame("block") == blocked
    (row,) = junho.get("/chat/blocked")["blocked"]
    assert row["peerEmail"] == minji.email and row["since"] >= first["timestamp"]
    assert minji.get("/chat/blocked")["blocked"] == []
    assert (listed(junho)["blocked"], listed(minji)["blocked"]) == (True, False)
    for device in (other, tablet):
        device.await_frame("message")
    tablet.await_frame("message")

    assert refused(phone.send(junho, "let me explain"))
    assert refused(phone.ask({"action": "sendMessage", "receiverEmail": junho.email, "proposal": MATCH}))
    proposal = {"receiverEmail": junho.email, "clientMessageId": new_id(), "proposal": MATCH}
    facts = {"contentType": "image/png", "size": 9, "width": 1, "height": 1}
    for path, body in (("proposals", proposal), ("uploads", {"with": junho.email, **facts})):
        refusal = minji.request("POST", f"/chat/{path}", json=body)
        assert (refusal.status_code, refusal.json()["code"]) == (403, "notAccepted")
    phone.say({"action": "typing", "receiverEmail": junho.email})
    assert phone.mark_read(junho, answer["timestamp"])["type"] == "read"
    assert phone.sends(junho, "hello", **named) == {**first, "duplicate": True}
    for device in (phone, other, tablet):
        device.hears_nothing_more()
    assert [row["message"] for row in junho.history(minji)["messages"]] == ["who are you?", "hello"]
    assert listed(junho)["peerReadUpTo"] is None

    other.decides("unblock", minji)
    assert tablet.await_frame("unblock")["peerEmail"] == minji.email
    assert junho.get("/chat/blocked")["blocked"] == []
    assert listed(junho)["peerReadUpTo"] == answer["timestamp"]
    phone.sends(junho, "sorry")
    assert other.await_frame("message")["message"] == "sorry"


@pytest.mark.parametrize("action", ["accept", "block", "unblock"])
def test_nobody_decides_about_themselves_or_about_who_never_wrote(minji_and_junho, action):
    minji, junho = minji_and_junho
    phone = minji.connect()
    for peer, code in ((minji, "selfChat"), (junho, "notFound")):
        answer = phone.decide(action, peer)
        assert (answer["type"], answer["code"], answer["retryable"]) == ("error", code, False)
    assert minji.get("/chat/conversations")["conversations"] == []


def test_a_report_is_kept_and_nobody_is_told(chat, minji_and_junho):
    minji, junho = minji_and_junho
    phone, other = minji.connect(), junho.connect()
    at = phone.sends(junho, "send me money")["timestamp"]
    other.await_frame("message")
    report = {"action": "report", "peerEmail": minji.email, "timestamps": [at], "reason": "a fraud"}
    for _ in range(2):
        other.say(report)
        assert other.await_frame("reported", "error")["type"] == "reported"
    for change, code in (
        ({"timestamps": [EMPTY_ROOM]}, "notFound"),
        ({"timestamps": []}, "badRequest"),
        ({"reason": "x" * 501}, "badRequest"),
        ({"peerEmail": junho.email}, "selfChat"),
    ):
        assert other.ask({**report, **change})["code"] == code
    for device in (phone, other):
        device.hears_nothing_more()


@pytest.mark.needs("admin")
def test_the_operator_sees_what_was_reported_though_it_was_erased(chat, minji_and_junho):
    minji, junho = minji_and_junho
    at = minji.connect().sends(junho, "send me money")["timestamp"]
    other = junho.connect()
    other.say({"action": "report", "peerEmail": minji.email, "timestamps": [at], "reason": "a fraud"})
    assert other.await_frame("reported", "error")["type"] == "reported"
    chat.admin.report("erase", minji, "--confirm")
    (kept,) = [report for report in chat.admin.run("reports") if report["reporterEmail"] == junho.email]
    assert (kept["reportedEmail"], kept["reason"]) == (minji.email, "a fraud")
    assert [row["message"] for row in kept["messages"]] == ["send me money"]
    assert kept["id"] in [report["id"] for report in chat.admin.report("export", junho)["reports"]]
    assert kept["id"] not in [report["id"] for report in chat.admin.run("reports", "--remove", kept["id"])]


# ---- Whose an address is, and who is kept out


@pytest.mark.needs("admin")
def test_a_suspended_user_is_cut_off_and_comes_back(chat, minji_and_junho):
    minji, junho = minji_and_junho
    phone, laptop, other = minji.connect(), minji.connect(), junho.connect()
    phone.sends(junho, "buy my coins")
    other.await_frame("message")
    receipt = chat.admin.report("suspend", minji)
    assert (receipt["connections"]["found"], receipt["connections"]["closed"]) == (2, 2)
    assert receipt["user"]["suspendedSince"] is not None
    for device in (phone, laptop):
        device.await_close()
    is_refused(chat, minji.token)
    for path in ("/chat/conversations", "/chat/blocked"):
        answer = minji.request("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (403, "suspended")
    other.hears_nothing_more()

    assert "suspendedSince" not in chat.admin.report("resume", minji)["user"]
    minji.connect().sends(junho, "never again")
    other.await_frame("message")


@pytest.mark.needs("admin")
def test_the_operator_ends_the_connections_of_a_user_who_may_connect_again(chat, minji_and_junho):
    minji, junho = minji_and_junho
    phone, other = minji.connect(), junho.connect()
    assert chat.admin.report("disconnect", minji)["connections"]["closed"] == 1
    phone.await_close()
    minji.connect().sends(junho, "the network is bad")
    other.await_frame("message")


@pytest.mark.needs("admin", "cognito")
def test_who_gets_a_mailbox_later_does_not_get_its_conversations(chat, minji_and_junho):
    minji, junho = minji_and_junho
    minji.connect().sends(junho, "a secret")
    chat.accounts.forget(minji.email)
    later = chat.person(minji.email)
    is_refused(chat, later.token)
    answer = later.request("GET", "/chat/history", params={"with": junho.email})
    assert (answer.status_code, answer.json()["code"]) == (403, "notYours")
    assert [row["message"] for row in junho.history(minji)["messages"]] == ["a secret"]

    assert "userId" not in chat.admin.report("release", minji)["user"]
    later.connect()
    assert [row["message"] for row in later.history(junho)["messages"]] == ["a secret"]


def test_the_hundred_and_first_conversation_of_a_day_is_refused(people):
    (minji,) = people("minji")
    phone, day = minji.connect(), timestamp(time.time())[:10]
    for number in range(101):
        text = {"action": "sendMessage", "receiverEmail": minji.email.replace("minji", f"junho+{number}"), "message": "hello"}
        answer = phone.ask(text)
        if answer["type"] != "sent":
            break
    # Another day begins anew.
    assert (number, answer.get("code")) == (100, "rateLimited") or timestamp(time.time())[:10] != day
    assert phone.ask({**text, "receiverEmail": minji.email.replace("minji", "junho+0")})["type"] == "sent"


# ---- Other frames


def test_typing_reaches_only_those_who_have_accepted_it(people):
    minji, junho, mina = people("minji", "junho", "mina")
    phone, other, stranger = minji.connect(), junho.connect(), mina.connect()
    phone.say({"action": "typing", "receiverEmail": mina.email})
    sent = phone.sends(junho, "hello")
    other.await_frame("message")
    phone.say({"action": "typing", "receiverEmail": junho.email})
    phone.hears_nothing_more()
    other.decides("accept", minji)
    phone.say({"action": "typing", "receiverEmail": junho.email})
    assert other.await_frame("typing") == {"type": "typing", "roomId": sent["roomId"], "senderEmail": minji.email}
    for device in (phone, other, stranger):
        device.hears_nothing_more()
    assert len(minji.history(junho)["messages"]) == 1
    assert minji.history(mina)["messages"] == []


def test_a_ping_is_answered_with_the_time(minji_and_junho):
    minji, _ = minji_and_junho
    pong = minji.connect().ask({"action": "ping"})
    assert pong.keys() == {"type", "serverTime"}
    assert abs(time.time() - time.mktime(time.strptime(pong["serverTime"][:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone) < 60


def test_a_newer_token_extends_the_connection(chat, minji_and_junho):
    minji, junho = minji_and_junho
    phone = minji.connect()
    answer = phone.ask({"action": "reauth", "token": chat.accounts.token(minji.email)})
    assert answer.keys() == {"type", "expiresAt"} and answer["expiresAt"] > timestamp(time.time())
    error = phone.ask({"action": "reauth", "token": junho.token})
    assert (error["type"], error["code"]) == ("error", "unauthorized")
    error = phone.ask({"action": "reauth", "token": "garbage"})
    assert (error["type"], error["code"]) == ("error", "unauthorized")


# ---- Connections that end


def test_who_vanishes_finds_everything_on_coming_back(minji_and_junho):
    minji, junho = minji_and_junho
    phone, other = minji.connect(), junho.connect()
    known = phone.sends(junho, "before")["timestamp"]
    other.await_frame("message")
    other.vanish()
    missed = [phone.sends(junho, text)["timestamp"] for text in ("one", "two")]
    back = junho.connect()
    page = junho.history(minji, after=known)
    assert [row["message"] for row in page["messages"]] == ["one", "two"]
    assert (page["hasMore"], page["nextAfter"]) == (False, missed[1])
    phone.sends(junho, "three")
    assert back.await_frame("message")["message"] == "three"


def test_closing_is_no_farewell_for_good(minji_and_junho):
    minji, junho = minji_and_junho
    other = junho.connect()
    other.close()
    sent = minji.connect().sends(junho, "while you were away")
    junho.connect()
    page = junho.history(minji, after=EMPTY_ROOM)
    assert [row["timestamp"] for row in page["messages"]] == [sent["timestamp"]]


@pytest.mark.needs("database")
def test_the_row_of_a_connection_that_is_gone_goes_with_the_next_push(chat, minji_and_junho):
    minji, junho = minji_and_junho
    phone, other = minji.connect(), junho.connect()
    gone = chat.rows.plant(junho.email)
    phone.sends(junho, "hello")
    assert other.await_frame("message")["message"] == "hello"
    # All pushes are sent before the answer.
    assert not chat.rows.has(gone)


@pytest.mark.needs("database")
def test_it_goes_with_a_proposal_from_the_team_page_as_well(chat, minji_and_junho):
    minji, junho = minji_and_junho
    gone = chat.rows.plant(junho.email)
    minji.post("/chat/proposals", {"receiverEmail": junho.email, "clientMessageId": new_id(), "proposal": MATCH})
    assert not chat.rows.has(gone)


@pytest.mark.needs("database")
def test_a_connection_that_is_closed_has_no_row(chat, minji_and_junho):
    minji, _ = minji_and_junho
    phone, laptop = minji.connect(), minji.connect()
    assert len(chat.rows.of(minji.email)) == 2
    phone.close()
    await_that(lambda: len(chat.rows.of(minji.email)) == 1)
    laptop.vanish()
    await_that(lambda: chat.rows.of(minji.email) == [])


def test_the_oldest_connection_beyond_twenty_is_closed(minji_and_junho):
    minji, junho = minji_and_junho
    devices = [minji.connect() for _ in range(21)]
    devices[0].await_close()
    junho.connect().sends(minji, "still there?")
    for device in devices[1:]:
        assert device.await_frame("message")["message"] == "still there?"


@pytest.mark.needs("database")
def test_the_oldest_row_beyond_twenty_goes_if_its_connection_is_gone(chat, minji_and_junho):
    minji, _ = minji_and_junho
    rows = [chat.rows.plant(minji.email, seconds_ago) for seconds_ago in range(3_600, 3_580, -1)]
    minji.connect()
    assert [chat.rows.has(row) for row in rows] == [False] + [True] * 19


@pytest.mark.needs("database")
def test_a_connection_without_a_row_is_told_and_closed(chat, minji_and_junho):
    minji, junho = minji_and_junho
    phone = minji.connect()
    for row in chat.rows.of(minji.email):
        chat.rows.delete(row)
    phone.say({"action": "sendMessage", "receiverEmail": junho.email, "message": "is anybody there?"})
    phone.await_close()
    assert [(frame["type"], frame["code"], frame["retryable"]) for frame in phone.early] == [
        ("error", "unknownConnection", True)
    ]
    assert minji.history(junho)["messages"] == []


# ---- Images and proposals


# Exif of one entry: that a directory of GPS data follows.
PLACE = b"MM\0\x2a\0\0\0\x08\0\x01\x88\x25\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\0"


def png(width: int, height: int, exif: bytes = b"") -> bytes:
    """A small image of one colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + b"\x33\x66\x99" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    metadata = chunk(b"eXIf", exif) if exif else b""
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + metadata + pixels + chunk(b"IEND", b"")


def put(upload: dict, body: bytes, **changed) -> int:
    headers = {header["name"]: header["value"] for header in upload["headers"]}
    return httpx.put(upload["url"], content=body, headers={**headers, **changed}).status_code


def announce(people, body: bytes):
    """Announces an image of the one for the other, who is no stranger."""
    minji, junho = people
    befriend(minji, junho)
    facts = {"contentType": "image/png", "size": len(body), "width": 16, "height": 9}
    return minji.post("/chat/uploads", {"with": junho.email, **facts}), facts


def test_an_image_goes_up_once_and_down_to_the_members_alone(people):
    minji, junho, mina = people("minji", "junho", "mina")
    image = png(16, 9)
    upload, facts = announce((minji, junho), image)
    phone, other = minji.connect(), junho.connect()
    attachment = {"key": upload["key"], **facts, "alt": "a blue field"}
    error = phone.send(junho, "", attachment=attachment)
    assert (error["code"], error["retryable"]) == ("attachmentMissing", False)
    for member in (minji, junho):
        assert httpx.get(member.get(f"/chat/attachments/{upload['key']}")["url"]).status_code == 404

    assert put(upload, image) == 200
    # Nobody is served what no message shows, not even who has uploaded it.
    for member in (minji, junho):
        assert httpx.get(member.get(f"/chat/attachments/{upload['key']}")["url"]).status_code in (403, 404)
    sent = phone.sends(junho, "the field", attachment=attachment)
    frame = other.await_frame("message")
    assert (frame["kind"], frame["message"], frame["attachment"]) == ("image", "the field", attachment)
    assert frame["timestamp"] == sent["timestamp"]

    for member in (minji, junho):
        answer = member.get(f"/chat/attachments/{upload['key']}")
        assert answer["expiresAt"] > timestamp(time.time())
        got = httpx.get(answer["url"])
        assert (got.content, got.headers["content-type"]) == (image, "image/png")
        assert got.headers["content-disposition"] == "attachment"
    answer = mina.request("GET", f"/chat/attachments/{upload['key']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "attachmentMissing")
    (row,) = junho.get("/chat/conversations")["conversations"]
    assert row["lastKind"] == "image"


def test_an_upload_is_what_was_announced_and_happens_once(minji_and_junho):
    image = png(16, 9)
    upload, _ = announce(minji_and_junho, image)
    assert put(upload, image + b"more") == 403
    assert put(upload, image, **{"content-type": "image/svg+xml"}) == 403
    assert put(upload, image) == 200
    assert put(upload, image) == 412


@pytest.mark.parametrize(
    "body",
    [
        b"<html><script>alert(1)</script></html>",
        png(16, 9)[:-1],
        png(16, 9) + b"<html><script>alert(1)</script></html>",
        png(160, 90),
        png(16, 9, PLACE),
        b"GIF89a" + png(16, 9)[6:],
    ],
    ids=["a web page", "cut short", "a web page behind it", "larger than said", "where it was taken", "another type"],
)
def test_what_is_not_the_image_that_was_announced_is_not_shown(minji_and_junho, body):
    minji, junho = minji_and_junho
    other = junho.connect()
    upload, facts = announce(minji_and_junho, body)
    assert put(upload, body) == 200
    error = minji.connect().send(junho, "look", attachment={"key": upload["key"], **facts})
    assert (error["code"], error["retryable"]) == ("attachmentRejected", False)
    assert other.await_frame("message")["message"] == "Hi, it is me"
    assert len(minji.history(junho)["messages"]) == 1
    other.await_frame("accept")
    other.hears_nothing_more()


def test_an_upload_is_shown_in_one_message(minji_and_junho):
    minji, junho = minji_and_junho
    phone, image = minji.connect(), png(16, 9)
    upload, facts = announce(minji_and_junho, image)
    assert put(upload, image) == 200
    attachment, named = {"key": upload["key"], **facts}, {"clientMessageId": new_id(), "after": EMPTY_ROOM}
    sent = phone.sends(junho, "", attachment=attachment, **named)
    error = phone.send(junho, "", attachment=attachment, clientMessageId=new_id())
    assert (error["code"], error["retryable"]) == ("attachmentRejected", False)
    assert minji.connect().sends(junho, "", attachment=attachment, **named) == {**sent, "duplicate": True}
    assert len(junho.history(minji)["messages"]) == 2


def test_an_image_of_another_is_not_shown_as_ones_own(people):
    minji, junho, mina = people("minji", "junho", "mina")
    image = png(16, 9)
    upload, facts = announce((minji, junho), image)
    assert put(upload, image) == 200
    attachment = {"key": upload["key"], **facts}
    befriend(minji, mina)
    befriend(mina, junho)
    for sender, receiver in ((junho, minji), (minji, mina), (mina, junho)):
        assert sender.connect().send(receiver, "", attachment=attachment)["code"] == "attachmentRejected"


@pytest.mark.needs("page", "bucket")
def test_the_bucket_answers_the_chats_own_page_alone(chat, minji_and_junho):
    minji, junho = minji_and_junho
    image, elsewhere = png(16, 9), "https://elsewhere.example.com"
    upload, facts = announce(minji_and_junho, image)
    named = [header["name"] for header in upload["headers"]]
    asked = {"access-control-request-method": "PUT", "access-control-request-headers": ",".join(named)}
    answer = httpx.options(upload["url"], headers={"origin": chat.origin, **asked})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, chat.origin)
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert {name.lower() for name in named} <= {name.strip() for name in allowed.split(",")}
    to_delete = {**asked, "access-control-request-method": "DELETE"}
    for refused in ({"origin": elsewhere, **asked}, {"origin": chat.origin, **to_delete}):
        answer = httpx.options(upload["url"], headers=refused)
        assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False)

    assert put(upload, image, origin=chat.origin) == 200
    minji.connect().sends(junho, "the field", attachment={"key": upload["key"], **facts})
    url = minji.get(f"/chat/attachments/{upload['key']}")["url"]
    assert httpx.get(url, headers={"origin": chat.origin}).headers["access-control-allow-origin"] == chat.origin
    assert "access-control-allow-origin" not in httpx.get(url, headers={"origin": elsewhere}).headers


# ---- Leaving


@pytest.mark.needs("admin")
def test_who_is_erased_leaves_the_conversation_and_the_second_one_takes_it_along(chat, minji_and_junho, tmp_path):
    minji, junho = minji_and_junho
    image = png(16, 9)
    upload, facts = announce(minji_and_junho, image)
    phone, other = minji.connect(), junho.connect()
    assert put(upload, image) == 200
    phone.sends(junho, "the field", attachment={"key": upload["key"], **facts})
    other.sends(minji, "nice")

    data = chat.admin.report("export", minji, "--objects", str(tmp_path))
    (conversation,) = data["conversations"]
    assert [row["message"] for row in conversation["messages"]] == ["Hi, it is me", "the field", "nice"]
    assert (conversation["accepted"], conversation["blockedSince"]) == (False, None)
    assert data["objects"] == {"saved": 1, "missing": []}
    assert (tmp_path / upload["key"]).read_bytes() == image

    # The connections that befriended the two may not be closed yet.
    await_that(lambda: len(data["connections"]) == 1 or len(chat.admin.report("export", minji)["connections"]) == 1)
    found = {"messages": 2, "heads": 1, "rooms": 0, "connections": 1, "uploads": 1, "usage": 1}
    nothing = dict.fromkeys(found, 0)
    assert chat.admin.report("erase", minji) == {"email": minji.email, "dryRun": True, "found": found}
    receipt = chat.admin.report("erase", minji, "--confirm")
    assert (receipt["removed"], receipt["remaining"]) == (found, nothing)
    kinds = [row["kind"] for row in junho.history(minji, after=EMPTY_ROOM)["messages"]]
    assert kinds == ["erased", "erased", "text"]
    assert httpx.get(junho.get(f"/chat/attachments/{upload['key']}")["url"]).status_code == 404

    receipt = chat.admin.report("erase", junho, "--confirm")
    removed = {"messages": 1, "heads": 1, "rooms": 1, "connections": 1, "uploads": 0, "usage": 0}
    assert (receipt["removed"], receipt["remaining"]) == (removed, nothing)
    for person, peer in ((minji, junho), (junho, minji)):
        assert person.get("/chat/conversations")["conversations"] == []
        assert person.history(peer)["messages"] == []


MATCH = {"teamName": "Seoul", "opponentTeamName": "Busan", "matchAt": "9000-01-01T00:00:00.000Z", "place": "Jamsil"}


def test_a_proposal_from_the_team_page_is_answered_in_the_chat(minji_and_junho):
    minji, junho = minji_and_junho
    phone, other = minji.connect(), junho.connect()
    request = {"receiverEmail": junho.email, "clientMessageId": new_id(), "after": EMPTY_ROOM, "proposal": MATCH}
    proposed = minji.post("/chat/proposals", request)
    assert (proposed["seq"], proposed["duplicate"]) == (1, False)
    assert minji.post("/chat/proposals", request) == {**proposed, "duplicate": True}
    for device in (phone, other):
        frame = device.await_frame("message")
        assert (frame["kind"], frame["proposal"]) == ("matchProposal", MATCH)

    def answer(device: Device, to, verdict: str) -> dict:
        said = {"proposal": proposed["timestamp"], "answer": verdict}
        return device.ask({"action": "sendMessage", "receiverEmail": to.email, "proposalAnswer": said})

    assert answer(phone, junho, "accepted")["code"] == "proposalState"
    assert answer(other, minji, "accepted")["type"] == "sent"
    frame = phone.await_frame("message")
    assert frame["kind"] == "matchProposalAnswer"
    assert frame["proposalAnswer"] == {"proposal": proposed["timestamp"], "answer": "accepted"}
    assert answer(phone, junho, "withdrawn")["code"] == "proposalState"
    assert answer(other, minji, "declined")["code"] == "proposalState"
    assert [row["kind"] for row in junho.history(minji)["messages"]] == ["matchProposalAnswer", "matchProposal"]


def test_a_proposal_that_is_withdrawn_cannot_be_accepted(minji_and_junho):
    minji, junho = minji_and_junho
    phone, other = minji.connect(), junho.connect()
    # This one goes the other way round, in a frame.
    proposed = other.ask({"action": "sendMessage", "receiverEmail": minji.email, "proposal": MATCH})
    said = {"proposal": proposed["timestamp"], "answer": "withdrawn"}
    assert other.ask({"action": "sendMessage", "receiverEmail": minji.email, "proposalAnswer": said})["type"] == "sent"
    said["answer"] = "accepted"
    error = phone.ask({"action": "sendMessage", "receiverEmail": junho.email, "proposalAnswer": said})
    assert (error["code"], error["retryable"]) == ("proposalState", False)
    assert [row["kind"] for row in minji.history(junho)["messages"]] == ["matchProposalAnswer", "matchProposal"]


# ---- What is refused, and how


def message(**fields) -> dict:
    return {"action": "sendMessage", "receiverEmail": "junho@example.com", "message": "hello", **fields}


REFUSED = {
    "no JSON": ("hello", "badRequest"),
    "no action": ({"message": "hello"}, "badRequest"),
    "an action that is none": ({"action": "shout"}, "badRequest"),
    "no receiver": ({"action": "sendMessage", "message": "hello"}, "badRequest"),
    "a number for a text": (message(message=7), "badRequest"),
    "an id that is none": (message(clientMessageId="7"), "badRequest"),
    "a time that is none": (message(after="yesterday"), "badRequest"),
    "after what the room does not hold": (message(after="9000-01-01T00:00:00.000Z"), "badRequest"),
    "a key that comes twice": ('{"action":"ping","action":"ping"}', "badRequest"),
    "a reversed text": (message(message="\u202eolleh"), "badRequest"),
    "no address": (message(receiverEmail="junho"), "invalidEmail"),
    "an address in another script": (message(receiverEmail="준호@example.com"), "invalidEmail"),
    "nothing but space": (message(message=" \n "), "messageEmpty"),
    "a byte too much": (message(message="x" * 8_193), "messageTooLong"),
    "an attachment of nobody": (
        message(attachment={"key": "x", "contentType": "image/png", "size": 1, "width": 1, "height": 1}),
        "attachmentRejected",
    ),
    "an answer to no proposal": (
        message(message=None, proposalAnswer={"proposal": EMPTY_ROOM, "answer": "accepted"}),
        "proposalState",
    ),
    "a proposal in the past": (message(message=None, proposal={**MATCH, "matchAt": EMPTY_ROOM}), "proposalState"),
}


@pytest.mark.parametrize(("frame", "code"), REFUSED.values(), ids=REFUSED)
def test_a_frame_that_makes_no_sense_is_refused_with_its_code(minji_and_junho, frame, code):
    minji, _ = minji_and_junho
    phone = minji.connect()
    error = phone.ask(frame)
    assert (error["type"], error["code"], error["retryable"]) == ("error", code, False)
    assert error["message"] and error["requestId"]
    phone.hears_nothing_more()


@pytest.mark.parametrize(
    ("frame", "code"), [("x" * (32 * 1024 + 1), 1009), (b"hello", 1003)], ids=["above 32 KB", "binary"]
)
def test_a_frame_that_the_gateway_does_not_take_closes(minji_and_junho, frame, code):
    minji, _ = minji_and_junho
    phone = minji.connect()
    phone.socket.send(frame)
    with pytest.raises(ConnectionClosed) as closed:
        phone.socket.recv(timeout=WITHIN_SECONDS)
    assert closed.value.rcvd.code == code


def test_nobody_chats_with_themselves(minji_and_junho):
    minji, _ = minji_and_junho
    assert minji.connect().send(minji, "me")["code"] == "selfChat"
    answer = minji.request("GET", "/chat/history", params={"with": minji.email})
    assert (answer.status_code, answer.json()["code"]) == (400, "selfChat")


def test_the_longest_text_arrives_whole(minji_and_junho):
    minji, junho = minji_and_junho
    other = junho.connect()
    # The text has 8,192 bytes, and JSON escapes its quotes, which makes it longer still.
    text = '"' * 2 + "가" * 2_730
    minji.connect().sends(junho, text)
    assert other.await_frame("message")["message"] == text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "badRequest"),
        ({"with": "junho"}, "invalidEmail"),
        ({"with": "junho@example.com", "limit": "0"}, "badRequest"),
        ({"with": "junho@example.com", "limit": "51"}, "badRequest"),
        ({"with": "junho@example.com", "before": "yesterday"}, "badRequest"),
        ({"with": "junho@example.com", "before": EMPTY_ROOM, "after": EMPTY_ROOM}, "badRequest"),
        ({"with": ["junho@example.com", "mina@example.com"]}, "badRequest"),
    ],
    ids=str,
)
def test_a_page_that_makes_no_sense_is_refused(minji_and_junho, query, code):
    minji, _ = minji_and_junho
    answer = minji.request("GET", "/chat/history", params=query)
    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (400, code, False)


@pytest.mark.parametrize(
    "facts",
    [
        {"contentType": "image/svg+xml"},
        {"contentType": "text/html"},
        {"size": 0},
        {"size": 10 * 1024 * 1024 + 1},
        {"width": 16_385},
        {"height": 0},
    ],
    ids=str,
)
def test_an_upload_that_is_no_image_is_refused(minji_and_junho, facts):
    minji, junho = minji_and_junho
    announced = {"with": junho.email, "contentType": "image/png", "size": 9, "width": 1, "height": 1, **facts}
    answer = minji.request("POST", "/chat/uploads", json=announced)
    assert (answer.status_code, answer.json()["code"]) == (422, "attachmentRejected")


def test_who_sends_too_fast_is_told_to_wait(minji_and_junho):
    minji, junho = minji_and_junho
    phone, stored = minji.connect(), 1
    phone.sends(junho, "hello")
    junho.connect().decides("accept", minji)
    # The limit is 30 at once and one more each second, and sending a message takes far less than a second.
    while (answer := phone.send(junho, "now"))["type"] == "sent":
        stored += 1
        assert stored < 100
    assert (answer["code"], answer["retryable"]) == ("rateLimited", True)
    assert 30 <= stored
    assert len(minji.history(junho, after=EMPTY_ROOM)["messages"]) == min(stored, 50)
