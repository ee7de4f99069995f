#!/usr/bin/env python3
"""Computes the tables of docs/abuse.md from the limits that the code and the template set, from what each action uses, which docs/budget.toml
says, and from the prices of dev/cost.py: abuse.py [--check]

It writes them between the marks in the document. With --check it only compares them with the document.
"""

import dataclasses
import math
import pathlib
import re
import sys

import cost

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "abuse.md"
HOUR, DAY = 3_600, 86_400


def found(file: str, pattern: str) -> int:
    """The one number that a file gives for a limit."""
    numbers = re.findall(pattern, (ROOT / file).read_text(encoding="utf-8"), re.DOTALL)
    assert len(numbers) == 1, (file, pattern, numbers)
    return int(numbers[0].replace("_", ""))


def parameter(name: str) -> int:
    return found("deploy/template.yaml", rf"\n  {name}:\n(?:    [^\n]*\n)*?    Default: (\d+)\n")


def limit(name: str) -> int:
    return found("web/packages/chat-core/src/limits.ts", rf"export const {name} = (\d+)")


CONNECTIONS = found("chat-domain/src/use_cases/deliver.rs", r"CONNECTIONS_MAX: usize = (\d+);")
PUSHES = found("chat-domain/src/use_cases/deliver.rs", r"PUSHES_MAX: usize = (\d+);")
BURST, PER_SECOND = parameter("UserRequestBurst"), parameter("UserRequestsPerSecond")
AN_HOUR = parameter("UserRequestsPerHour")
COUNTED_AT_ONCE = found("chat-domain/src/use_cases/limit_requests.rs", r"COUNTED_AT_ONCE: u32 = (\d+);")
ADMITTED_CALLS = found("chat-domain/src/use_cases/admit.rs", r"ADMITTED_CALLS: u32 = (\d+);")
# What an API takes of everybody together: so many each second, and so many at the same moment, each in a process of its own.
API_PER_SECOND, API_AT_ONCE = parameter("RequestsPerSecond"), parameter("RequestBurst")
CONNECTS_PER_SECOND, PREFLIGHTS_PER_SECOND = parameter("ConnectsPerSecond"), parameter("PreflightsPerSecond")
# As docs/operations.md advises for images through CloudFront: an album of three pages, and the same once more.
PER_ADDRESS_OF_IMAGES = 300
TEXT, ALT, REPORTED = limit("MESSAGE_TEXT_MAX_BYTES"), limit("ALT_TEXT_MAX_BYTES"), limit("REPORT_MESSAGES_MAX")
ADDRESS, PREVIEW_CHARS = limit("EMAIL_MAX_BYTES"), limit("PREVIEW_MAX_CHARS")
PAGE, ROOMS_PAGE = (
    found("chat-domain/src/ports/message_store/mod.rs", r"pub const PAGE_MAX: usize = (\d+);"),
    found("chat-domain/src/ports/message_store/mod.rs", r"pub const ROOMS_PAGE_MAX: usize = (\d+);"),
)
SEARCH_PAGES = found("chat-domain/src/use_cases/search.rs", r"pub const SEARCH_PAGES_MAX: usize = (\d+);")
ROOMS_A_DAY, UPLOAD_BYTES_A_DAY = parameter("RoomsPerDay"), parameter("UploadBytesPerDay")
REPORTS_A_DAY, REPORT_DAYS = parameter("ReportsPerDay"), parameter("ReportDays")
IMAGE_BYTES = limit("IMAGE_MAX_BYTES")
# What a row, or a frame, has beside its text: the room is called by two addresses, and the message names each once more. Somebody who has a
# domain has addresses of any length.
AROUND = 4 * ADDRESS + 300
KB = 1_024
BYTES_OF_A_REQUEST = KB * found("chat-domain/src/model/download.rs", r"BYTES_OF_A_REQUEST: u64 = (\d+) \* 1024;")
URL_SECONDS = 60 * found("chat-domain/src/model/attachment.rs", r"DOWNLOAD_URL_LIFETIME: Duration = Duration::from_secs\((\d+) \* 60\);")


def units(size: int, unit: int) -> int:
    return math.ceil(size / unit)


def worst(name: str, **more: float) -> cost.Uses:
    """What an action uses at the most, where that is more than what was measured."""
    return dataclasses.replace(cost.MEASURED[name], **more)


def written(size: int) -> int:
    """How long words are in JSON, if all of them are quotation marks."""
    return 2 * size


ROW = TEXT + AROUND
# The longest message shows an image, and says what is on it.
SHOWN = ROW + ALT + AROUND
# The head of a room holds its newest message whole, as its row does, and beside it the preview of the message that lists show.
HEAD = ROW + AROUND
FRAME = written(TEXT) + AROUND
# A message as a page shows it that replies to another one.
ON_A_PAGE = written(TEXT + ALT) + AROUND + AROUND + 4 * PREVIEW_CHARS + ADDRESS
OWN_DEVICES = CONNECTIONS - 1
# What a frame that goes nowhere uses: it, its answer, and an invocation without a call.
REFUSED = cost.Uses(invocations=1, calls_in_sequence=0.1, frames=2, sent_bytes=cost.FRAME_BYTES, lines=1)

# A row that is read strongly, and one that is read as it was a moment ago.
READ_ROW, READ_HEAD = units(ROW, 4 * KB), units(HEAD, 4 * KB)
# The lists of connections of both members, with as many as they may have.
LISTS = 2 * 0.5 * units(CONNECTIONS * AROUND, 4 * KB)
PUSHED = {"frames": 2 + PUSHES, "sent_bytes": PUSHES * FRAME + cost.FRAME_BYTES}


def change(name: str) -> cost.Uses:
    """A change of the longest message: it writes the head, the message and an entry, and everybody is told of the message."""
    return worst(
        name,
        # If the message before was as long, the head shrinks, and is paid for as it was.
        write_units=units(HEAD, KB) + units(ROW, KB) + 1,
        read_units=1 + READ_HEAD + 2 * READ_ROW + LISTS,
        **PUSHED,
    )


# Each frame: what it uses, how many pushes it makes, what stays of it, for how many requests it counts, and how many a day there are at most.
FRAMES = {
    "`sendMessage`, the longest text, as a reply": (
        worst("reply", write_units=units(ROW, KB) + units(HEAD, KB), read_units=0.5 * READ_HEAD + READ_HEAD + 2 * READ_ROW + LISTS, **PUSHED),
        PUSHES,
        ROW,
        1,
        math.inf,
    ),
    "`edit` to the longest text": (change("edit"), PUSHES, AROUND, 1, math.inf),
    "`react` to the longest text": (change("react"), PUSHES, AROUND, 1, math.inf),
    "`delete` of the longest text": (
        dataclasses.replace(change("delete"), sent_bytes=PUSHES * AROUND + cost.FRAME_BYTES),
        PUSHES,
        AROUND,
        1,
        math.inf,
    ),
    "`markRead` of one more message": (
        worst("mark_read_1", frames=2 + PUSHES, sent_bytes=PUSHES * AROUND, read_units=4 + 2 * READ_HEAD + LISTS, write_units=units(HEAD, KB)),
        PUSHES,
        0,
        1,
        math.inf,
    ),
    "`typing`": (
        worst("typing", frames=1 + PUSHES, sent_bytes=PUSHES * AROUND, read_units=1 + READ_HEAD + LISTS),
        PUSHES,
        0,
        1,
        math.inf,
    ),
    "`accept`, `block`, `unblock`": (
        worst(
            max(("accept", "block", "unblock"), key=lambda decision: cost.MEASURED[decision].cost()),
            frames=2 + OWN_DEVICES,
            sent_bytes=OWN_DEVICES * AROUND,
            read_units=1 + READ_HEAD + LISTS,
            write_units=units(HEAD, KB),
            lines=1,
        ),
        OWN_DEVICES,
        0,
        1,
        math.inf,
    ),
    "`clear`": (
        worst(
            "clear",
            frames=2 + OWN_DEVICES,
            sent_bytes=OWN_DEVICES * AROUND,
            read_units=1 + READ_HEAD + LISTS,
            write_units=units(HEAD, KB),
        ),
        OWN_DEVICES,
        0,
        1,
        math.inf,
    ),
    f"`report` of {REPORTED} of the longest messages": (
        worst(
            "report",
            # Beside the report, the row of the user, who may file so many a day.
            write_units=units(REPORTED * SHOWN, KB) + 1,
            # The connection, the row of the user, and each message with the head of its room.
            read_units=2 + REPORTED * (units(SHOWN, 4 * KB) + READ_HEAD),
            frames=2,
            sent_bytes=cost.FRAME_BYTES,
            lines=1,
        ),
        0,
        REPORTED * SHOWN,
        REPORTED + 1,
        REPORTS_A_DAY,
    ),
    "`ping`": (worst("ping", sent_bytes=cost.FRAME_BYTES), 0, 0, 1, math.inf),
    "`reauth`": (worst("reauth", sent_bytes=cost.FRAME_BYTES), 0, 0, 1, math.inf),
    "what is no frame": (REFUSED, 0, 0, 1, math.inf),
}



def answered(size: int) -> int:
    """For how many requests an answer of so many bytes counts."""
    return units(size, BYTES_OF_A_REQUEST)


def page(size: int) -> cost.Uses:
    """A page whose answer has so many bytes: the head twice, the rows, and each of the messages that are replied to by its key."""
    return worst(
        "history_page",
        read_units=2 * READ_HEAD + units(PAGE * SHOWN, 4 * KB) + PAGE * units(SHOWN, 4 * KB),
        calls_in_sequence=cost.MEASURED["history_page"].calls_in_sequence + 1 + units(PAGE, 10),
        sent_bytes=size,
    )


# By the bucket of REST: what it uses, for how many requests it counts, and its route.
CALLS = {
    f"a page of {PAGE} of the longest messages, each a reply to another one": (page(PAGE * ON_A_PAGE), answered(PAGE * ON_A_PAGE), "/chat/history"),
    "such a page that is just short enough to count for one": (page(BYTES_OF_A_REQUEST), 1, "/chat/history"),
    f"a search of {SEARCH_PAGES} pages of the longest messages": (
        worst(
            "search_20_pages",
            # Each page is read with the head, as they were a moment ago; what is found is read once more.
            read_units=READ_HEAD + SEARCH_PAGES * 0.5 * (READ_HEAD + units(PAGE * SHOWN, 4 * KB)) + 1,
            sent_bytes=cost.FRAME_BYTES,
        ),
        SEARCH_PAGES,
        "/chat/search",
    ),
    f"a page of {ROOMS_PAGE} conversations": (
        worst(
            "conversations_30",
            # Both indexes, and each head.
            read_units=units(2 * ROOMS_PAGE * AROUND, 4 * KB) + ROOMS_PAGE * 0.5 * READ_HEAD,
            sent_bytes=ROOMS_PAGE * (2 * AROUND),
        ),
        1,
        "/chat/conversations",
    ),
    f"a page of whom one blocks, of {ROOMS_PAGE} conversations": (
        worst(
            "blocked_of_30",
            read_units=units(2 * ROOMS_PAGE * AROUND, 4 * KB) + ROOMS_PAGE * 0.5 * READ_HEAD,
            sent_bytes=ROOMS_PAGE * AROUND,
        ),
        1,
        "/chat/blocked",
    ),
    "a proposal": (
        worst(
            "proposal",
            frames=PUSHES,
            # After the longest text.
            write_units=units(3 * AROUND, KB) + units(HEAD, KB),
            read_units=0.5 * (READ_HEAD + READ_ROW) + LISTS,
            sent_bytes=(1 + PUSHES) * 4 * AROUND,
        ),
        1,
        "/chat/proposals",
    ),
    "an announced upload": (worst("image_upload", read_units=READ_HEAD + 1, lines=1), 1, "/chat/uploads"),
    f"the URL of an image of {BYTES_OF_A_REQUEST // KB} KiB, which is opened once": (
        worst("image_open", sent_bytes=cost.FRAME_BYTES + BYTES_OF_A_REQUEST, lines=1),
        1,
        "/chat/attachments/{key}",
    ),
    "the URL of the largest image, which is opened once": (
        # What it counts for is written into the row of the user before there is a URL.
        worst("image_open", read_units=1, write_units=1, sent_bytes=cost.FRAME_BYTES + IMAGE_BYTES, lines=1),
        answered(IMAGE_BYTES),
        "/chat/attachments/{key}",
    ),
}


def in_the_table(pattern: str) -> set[str]:
    """What the one table of actions and routes lists."""
    return set(re.findall(pattern, (ROOT / "chat-wire/src/table.rs").read_text(encoding="utf-8"), re.MULTILINE))


# Whoever adds an action or a route says here what it costs.
NAMED = {name for key in FRAMES for name in re.findall(r"`(\w+)`", key)}
assert NAMED == in_the_table(r'^    \w+\(\w+\) = "(\w+)", answered'), NAMED
assert {route for *_, route in CALLS.values()} == in_the_table(r'^    \w+ = [A-Z]+ "(/\S+)";')


def dollars(amount: float) -> str:
    return f"{amount:.2f}"


def size(count: float) -> str:
    for name, unit in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if count >= unit:
            return f"{count / unit:,.1f} {name}"
    return ""


# Counting takes a read and a write of a row for so many requests.
COUNTING = cost.Uses(read_units=1, write_units=1).cost() / COUNTED_AT_ONCE


def an_hour(weight: int = 1, a_day: float = math.inf) -> float:
    """How many requests of one hour all processes together admit that count for so many."""
    return min(AN_HOUR / weight, a_day)


def hour_of(uses: cost.Uses, weight: int = 1, a_day: float = math.inf) -> float:
    return an_hour(weight, a_day) * (uses.cost() + weight * COUNTING)


def a_day(weight: int, at_most: float) -> float:
    return min(24 * AN_HOUR / weight, at_most)


def frames() -> str:
    lines = ["| frame | an hour | US dollars a million | US dollars an hour | pushes of each | stored a day |"]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for name, (uses, pushes, kept, weight, at_most) in FRAMES.items():
        hour = hour_of(uses, weight, at_most)
        stored = size(a_day(weight, at_most) * kept)
        count, million = an_hour(weight, at_most), dollars(uses.cost() * 1e6)
        lines.append(f"| {name} | {count:,.0f} | {million} | **{dollars(hour)}** | {pushes or ''} | {stored} |")
    return "\n".join(lines)


def calls() -> str:
    lines = ["| request | an hour | US dollars a million | US dollars an hour |", "|---|---:|---:|---:|"]
    for name, (uses, weight, _route) in CALLS.items():
        hour = dollars(hour_of(uses, weight))
        lines.append(f"| {name} | {an_hour(weight):,.0f} | {dollars(uses.cost() * 1e6)} | **{hour}** |")
    return "\n".join(lines)


def connects(uses: cost.Uses) -> float:
    return CONNECTS_PER_SECOND * HOUR * uses.cost()


CONNECT = cost.MEASURED["connect"] + cost.MEASURED["disconnect"] + cost.Uses(lines=1)
# Whoever has no token that counts: an invocation without a call of AWS.
TURNED_AWAY = cost.Uses(invocations=1, calls_in_sequence=0.1, lines=1)
PREFLIGHT_ROUTES = len(re.findall(r"HttpMethod: OPTIONS", (ROOT / "deploy/template.yaml").read_text(encoding="utf-8")))
PREFLIGHT = PREFLIGHTS_PER_SECOND * PREFLIGHT_ROUTES * HOUR * cost.PRICES["rest_request"][0]


def account() -> list[tuple[str, float]]:
    dearest_frame = max(uses.cost() / weight for uses, _, _, weight, _ in FRAMES.values())
    dearest_call = max(uses.cost() / weight for uses, weight, _route in CALLS.values())
    # An image that counts for several is counted before there is a URL, and a search before it reads on, so none of these is late.
    ahead = ("/chat/attachments/{key}", "/chat/search")
    late = {name: uses.cost() for name, (uses, weight, route) in CALLS.items() if weight == 1 or route not in ahead}
    dearest_late_call = max(late.values())
    connected = CONNECTIONS * 60 * cost.PRICES["connected_minute"][0]
    uploads = UPLOAD_BYTES_A_DAY / 1e9 * cost.PRICES["bucket_gb_month"][0] / 30
    # Connections are closed within a second of the request that was one too many; a process of REST admits a few calls more.
    frames_late, calls_late = API_PER_SECOND + API_AT_ONCE, API_AT_ONCE * ADMITTED_CALLS
    return [
        (f"{AN_HOUR:,} of the dearest request", AN_HOUR * (max(dearest_frame, dearest_call) + COUNTING)),
        (f"{frames_late:,} frames that are under way when it is enough", frames_late * dearest_frame),
        (f"{calls_late:,} calls of REST that {API_AT_ONCE} processes still admit", calls_late * dearest_late_call),
        (f"{CONNECTIONS} connections", connected),
        ("all connects that the gateway takes", connects(CONNECT)),
        ("a day's uploads, stored for a day", uploads),
    ]


def downloads() -> str:
    """What it costs to download by one URL again and again, which no limit of the chat bounds."""
    price = cost.PRICES["sent_gb"][0] / 1e9
    line = 100e6 / 8 * price
    addressed = PER_ADDRESS_OF_IMAGES * 12 * IMAGE_BYTES * cost.PRICES["edge_gb"][0] / 1e9
    rows = {
        "over a line of 100 Mbit/s": line * HOUR,
        f"over a line of 100 Mbit/s, until the URL ends after {URL_SECONDS // 60} minutes": line * URL_SECONDS,
        f"through CloudFront, behind a firewall that takes {PER_ADDRESS_OF_IMAGES} requests of an address in 5 minutes": addressed,
    }
    lines = ["| downloads of the largest image | US dollars an hour, or in all |", "|---|---:|"]
    return "\n".join(lines + [f"| {name} | {dollars(hour)} |" for name, hour in rows.items()])


def anonymous() -> list[tuple[str, float]]:
    return [
        ("connects without a token, or with a forged one", connects(TURNED_AWAY)),
        (f"preflights of {PREFLIGHT_ROUTES} resources", PREFLIGHT),
    ]


def sums(rows: list[tuple[str, float]]) -> str:
    lines = ["| | US dollars an hour |", "|---|---:|"]
    lines += [f"| {name} | {dollars(hour)} |" for name, hour in rows]
    lines.append(f"| together | **{dollars(sum(hour for _, hour in rows))}** |")
    return "\n".join(lines)


def limits() -> str:
    rows = {
        "requests of one user, of each kind and process": f"{BURST} at once, {PER_SECOND} more each second",
        "requests of one user, of all kinds and processes": f"{AN_HOUR:,} an hour, counted in hundreds",
        "a report": f"counts for its messages, at most {REPORTED}, and one more",
        "an answer, and the URL of an image": f"counts for each {BYTES_OF_A_REQUEST // KB} KiB that are downloaded",
        "connections of one user": f"{CONNECTIONS}",
        "connections that a request is pushed to, of both members together": f"{PUSHES}",
        "connects, of all users together": f"{CONNECTS_PER_SECOND} a second",
        "preflights, of everybody together": f"{PREFLIGHTS_PER_SECOND} a second for each resource",
        "rooms that one user begins": f"{ROOMS_A_DAY} a day",
        "images that one user uploads": f"{UPLOAD_BYTES_A_DAY / 1e6:.0f} MB a day",
        "reports that one user files": f"{REPORTS_A_DAY} a day, kept for {REPORT_DAYS} days",
    }
    return "\n".join(["| limit | default |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


TABLES = {
    "limits": limits,
    "frames": frames,
    "calls": calls,
    "account": lambda: sums(account()),
    "downloads": downloads,
    "anonymous": lambda: sums(anonymous()),
}
# What the page promises. Whoever raises a limit or adds a frame that costs more finds out here.
ACCOUNT_MAX, ANONYMOUS_MAX = 1.0, 2.0


def main() -> int:
    for who, rows, at_most in (("one account", account(), ACCOUNT_MAX), ("an anonymous caller", anonymous(), ANONYMOUS_MAX)):
        together = sum(hour for _, hour in rows)
        if together > at_most:
            print(f"{who} may cost {dollars(together)} dollars an hour, and docs/abuse.md promises {at_most}", file=sys.stderr)
            return 1
    return cost.write_or_check(DOCUMENT, TABLES, "abuse.py")


if __name__ == "__main__":
    sys.exit(main())
