"""Messages that are replied to, reacted to, edited, deleted, found and cleared, wherever the chat runs."""

import time

import pytest

from chat import Device, Person, befriend, new_id

FAR_AWAY = "9999-12-31T23:59:59.999Z"


def change(device: Device, action: str, peer: Person, target: str, **more) -> dict:
    frame = {"action": action, "peerEmail": peer.email, "target": target, "clientMessageId": new_id(), **more}
    return device.ask(frame)


def changes(device: Device, action: str, peer: Person, target: str, **more) -> dict:
    """A change that has to be accepted."""
    answer = change(device, action, peer, target, **more)
    assert answer["type"] == "sent", answer
    return answer


@pytest.fixture
def friends(minji_and_junho):
    """Two who are no strangers: Junho has accepted Minji's first message."""
    befriend(*minji_and_junho)
    return minji_and_junho


def as_it_is(person: Person, peer: Person, at: str) -> dict:
    """A message as somebody sees it by now."""
    (found,) = [row for row in person.history(peer)["messages"] if row["timestamp"] == at]
    return found


def test_four_devices_of_two_see_what_becomes_of_a_message(friends):
    minji, junho = friends
    phone, laptop, other, tablet = minji.connect(), minji.connect(), junho.connect(), junho.connect()
    everybody = {phone: minji, laptop: minji, other: junho, tablet: junho}
    at = phone.sends(junho, "at six")["timestamp"]
    for device in (laptop, other, tablet):
        device.await_frame("message")

    def told(by: Device, sent: dict) -> dict:
        """Every other device is told the same of a change, and its own hears of it by the answer alone."""
        frames = [device.await_frame("changed") for device in everybody if device is not by]
        assert frames[0] == frames[1] == frames[2]
        assert (frames[0]["seq"], frames[0]["timestamp"], frames[0]["target"]) == (sent["seq"], sent["timestamp"], at)
        return frames[0]["message"]

    shown = told(phone, changes(phone, "edit", junho, at, message="at seven"))
    assert shown["message"] == "at seven" and shown["editedAt"]
    shown = told(tablet, changes(tablet, "react", minji, at, emoji=["👍", "⚽"]))
    assert shown["reactions"] == {junho.email: ["👍", "⚽"]}
    shown = told(laptop, changes(laptop, "react", junho, at, emoji=["🎉"]))
    assert shown["reactions"] == {junho.email: ["👍", "⚽"], minji.email: ["🎉"]}
    shown = told(other, changes(other, "react", minji, at, emoji=[]))
    assert shown["reactions"] == {minji.email: ["🎉"]}

    other.sends(minji, "fine", replyTo=at)
    for device in (phone, laptop, tablet):
        assert device.await_frame("message")["replyTo"] == at
    for person, peer in ((minji, junho), (junho, minji)):
        page = person.history(peer)
        assert [row["kind"] for row in page["messages"]] == ["text", *4 * ["change"], "text", "text"]
        assert page["messages"][0]["quoted"] == {"senderEmail": minji.email, "kind": "text", "preview": "at seven"}
        assert "at six" not in str(page)
        assert as_it_is(person, peer, at)["reactions"] == {minji.email: ["🎉"]}
    (row,) = junho.get("/chat/conversations")["conversations"]
    assert (row["preview"], row["unread"]) == ("fine", 2), "a change is neither"

    shown = told(laptop, changes(laptop, "delete", junho, at))
    assert (shown["kind"], shown["message"]) == ("deleted", "")
    for person, peer in ((minji, junho), (junho, minji)):
        page = person.history(peer)
        assert "at seven" not in str(page) and "🎉" not in str(page)
        assert page["messages"][1]["quoted"] == {"senderEmail": minji.email, "kind": "deleted", "preview": ""}
    for device in everybody:
        device.hears_nothing_more()


def test_a_change_happens_once_however_often_it_is_sent(friends):
    minji, junho = friends
    phone, laptop = minji.connect(), minji.connect()
    at = phone.sends(junho, "one")["timestamp"]
    edit = {"action": "edit", "peerEmail": junho.email, "target": at, "message": "two", "clientMessageId": new_id(), "after": at}
    # The answer is lost with the connection.
    phone.say(edit)
    phone.vanish()
    first = laptop.ask(edit)
    again = minji.connect().ask(edit)
    assert again == {**first, "duplicate": True} and first["type"] == "sent"
    assert [row["seq"] for row in junho.history(minji)["messages"]] == [3, 2, 1]
    later = changes(laptop, "edit", junho, at, message="three")
    assert laptop.ask(edit)["seq"] == first["seq"] < later["seq"]
    assert as_it_is(junho, minji, at)["message"] == "three", "an old attempt changes nothing"


def test_who_was_away_finds_messages_as_they_are(friends):
    minji, junho = friends
    phone, other = minji.connect(), junho.connect()
    at = phone.sends(junho, "one")["timestamp"]
    last_known = phone.sends(junho, "two")["timestamp"]
    other.vanish()
    changes(phone, "edit", junho, at, message="uno")
    changes(phone, "delete", junho, last_known)
    sync = junho.history(minji, after=last_known)
    assert [(row["kind"], row["target"]) for row in sync["messages"]] == [("change", at), ("change", last_known)]
    changed = {row["timestamp"]: (row["kind"], row["message"]) for row in sync["changed"]}
    assert changed == {at: ("text", "uno"), last_known: ("deleted", "")}


def test_what_may_not_be_is_refused_and_changes_nothing(people):
    minji, junho, mina = people("minji", "junho", "mina")
    phone, other = minji.connect(), junho.connect()
    own = phone.sends(junho, "mine")["timestamp"]
    his = other.sends(minji, "his")["timestamp"]
    # No message of Minji's and Junho's has the place of this one, which the same millisecond would be.
    time.sleep(0.01)
    elsewhere = phone.sends(mina, "elsewhere")["timestamp"]
    time.sleep(0.01)
    gone = phone.sends(junho, "gone")["timestamp"]
    entry = changes(phone, "delete", junho, gone)["timestamp"]
    before = junho.history(minji)
    for action, target, more, code in (
        ("react", elsewhere, {"emoji": ["👍"]}, "notFound"),
        ("react", FAR_AWAY, {"emoji": ["👍"]}, "notFound"),
        ("react", entry, {"emoji": ["👍"]}, "notFound"),
        ("react", gone, {"emoji": ["👍"]}, "notFound"),
        ("react", his, {"emoji": ["👍", "🎉", "⚽", "❤️", "😀"]}, "badRequest"),
        ("react", his, {"emoji": ["ok"]}, "badRequest"),
        ("react", his, {"emoji": ["\ufe0f"]}, "badRequest"),
        ("edit", his, {"message": "hers"}, "notYours"),
        ("edit", own, {"message": " "}, "messageEmpty"),
        ("edit", own, {"message": "x" * 8_193}, "messageTooLong"),
        ("edit", gone, {"message": "back"}, "notFound"),
        ("delete", his, {}, "notYours"),
        ("delete", gone, {}, "notFound"),
        ("react", his, {"emoji": ["👍"], "after": own}, "badRequest"),
    ):
        answer = change(phone, action, junho, target, **more)
        assert (answer["type"], answer.get("code")) == ("error", code), (action, target, more, answer)
    taken = new_id()
    changes(phone, "react", junho, his, emoji=["👍"], clientMessageId=taken)
    assert change(phone, "react", junho, own, emoji=["👍"], clientMessageId=taken)["code"] == "idReused"
    assert phone.send(junho, "to nothing", replyTo=FAR_AWAY)["code"] == "notFound"
    after = junho.history(minji)
    assert [row["seq"] for row in after["messages"]] == [5, *(row["seq"] for row in before["messages"])]


def test_words_are_found_as_they_are_by_now(minji_and_junho):
    minji, junho = minji_and_junho
    phone, other = minji.connect(), junho.connect()
    at = other.sends(minji, "잠실 경기장에서 봐요")["timestamp"]
    phone.sends(junho, "Which Gate?")
    changes(other, "edit", minji, at, message="잠실 경기장 앞에서")
    for query in ("잠실경기", "잠실 경", "경기자"):
        found = minji.get("/chat/search", **{"with": junho.email}, q=query)
        assert [row["timestamp"] for row in found["hits"]] == [at], query
        assert (found["searchedTo"], found["more"]) == (at, False)
    assert [row["message"] for row in minji.get("/chat/search", **{"with": junho.email}, q="which gate")["hits"]] == ["Which Gate?"]
    assert minji.get("/chat/search", **{"with": junho.email}, q="에서 봐요")["hits"] == []
    for query in ("", " ", "가" * 1_000):
        refused = minji.request("GET", "/chat/search", params={"with": junho.email, "q": query})
        assert (refused.status_code, refused.json()["code"]) == (400, "badRequest")


def test_a_page_around_a_message_leads_both_ways(friends):
    minji, junho = friends
    phone = minji.connect()
    acks = [phone.sends(junho, str(number)) for number in range(1, 29)]
    page = junho.history(minji, around=acks[0]["timestamp"])
    assert [row["seq"] for row in page["messages"]] == list(range(27, 0, -1))
    assert (page["hasMore"], page["nextAfter"], "nextBefore" in page) == (False, acks[25]["timestamp"], False)
    page = junho.history(minji, around=acks[27]["timestamp"])
    assert [row["seq"] for row in page["messages"]] == list(range(29, 4, -1))
    assert (page["nextBefore"], "nextAfter" in page) == (acks[3]["timestamp"], False)
    refused = junho.request("GET", "/chat/history", params={"with": minji.email, "around": FAR_AWAY})
    assert (refused.status_code, refused.json()["code"]) == (400, "badRequest")


def test_who_clears_a_conversation_clears_their_own_alone(minji_and_junho):
    minji, junho = minji_and_junho
    phone, laptop, other = minji.connect(), minji.connect(), junho.connect()
    clear = {"action": "clear", "peerEmail": junho.email, "upTo": FAR_AWAY}
    phone.say(clear)
    assert phone.await_frame("cleared", "error")["code"] == "notFound"
    newest = [other.sends(minji, text) for text in ("one", "two")][1]["timestamp"]
    phone.say(clear)
    cleared = phone.await_frame("cleared", "error")
    assert (cleared["type"], cleared["peerEmail"], cleared["upTo"]) == ("cleared", junho.email, newest)
    assert laptop.await_frame("cleared") == cleared
    assert (minji.history(junho)["messages"], minji.get("/chat/conversations")["conversations"]) == ([], [])
    assert minji.get("/chat/search", **{"with": junho.email}, q="one")["hits"] == []
    assert [row["message"] for row in junho.history(minji)["messages"]] == ["two", "one"]
    other.hears_nothing_more()

    other.sends(minji, "three")
    (row,) = minji.get("/chat/conversations")["conversations"]
    assert (row["preview"], row["unread"], row["clearedTo"]) == ("three", 3, newest)
    assert [row["message"] for row in minji.history(junho)["messages"]] == ["three"]


@pytest.mark.needs("own_kinds")
def test_an_application_has_kinds_of_its_own(minji_and_junho):
    minji, junho = minji_and_junho
    phone, other = minji.connect(), junho.connect()
    other.sends(minji, "what do you need?")
    order = {"kind": "x-order", "preview": "2 footballs", "body": {"items": [{"name": "football", "count": 2}], "won": 58_000}}
    sent = phone.ask({"action": "sendMessage", "receiverEmail": junho.email, "clientMessageId": new_id(), **order})
    assert sent["type"] == "sent", sent
    pushed = other.await_frame("message")
    stored = as_it_is(junho, minji, sent["timestamp"])
    for shown in (pushed, stored):
        assert {name: shown[name] for name in order} == order
    changes(other, "react", minji, sent["timestamp"], emoji=["👍"])
    for fields, hint in (({"kind": "x-parcel"}, "kind"), ({"kind": "order"}, "kind"), ({"body": "b" * 4_095}, "body"), ({"preview": "p" * 401}, "preview")):
        answer = phone.ask({"action": "sendMessage", "receiverEmail": junho.email, **order, **fields})
        assert answer.get("code") == "badRequest" and answer["message"].startswith(hint), answer
