#!/usr/bin/env python3
"""Computes the tables of docs/cost.md from what each action uses and what AWS asks for it: cost.py [--check]

Writes them between the marks in the document; with --check, says whether they stand there.
"""

import dataclasses
import pathlib
import re
import sys
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "cost.md"

# US dollars in us-east-1, on demand, first tier, without free tiers, on 2026-11-24.
GATEWAY = "https://aws.amazon.com/api-gateway/pricing/"
LAMBDA = "https://aws.amazon.com/lambda/pricing/"
DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
S3 = "https://aws.amazon.com/s3/pricing/"
CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
TRANSFER = "https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer"
PRICES = {
    "frame": (1.00e-6, "WebSocket message of up to 32 KB, in or out", GATEWAY),
    "connected_minute": (0.25e-6, "WebSocket connection, a minute", GATEWAY),
    "rest_request": (3.50e-6, "REST request", GATEWAY),
    "invocation": (0.20e-6, "Lambda request", LAMBDA),
    "gb_second": (1.66667e-5, "Lambda GB-second, x86_64", LAMBDA),
    "write_unit": (0.625e-6, "DynamoDB write unit", DYNAMODB),
    "read_unit": (0.125e-6, "DynamoDB read unit (two eventually consistent reads)", DYNAMODB),
    "table_gb_month": (0.25 + 0.20, "DynamoDB, a GB for a month, with point-in-time recovery", DYNAMODB),
    "put": (5.0e-6, "S3 PUT", S3),
    "get": (0.4e-6, "S3 GET", S3),
    "bucket_gb_month": (0.023, "S3, a GB for a month", S3),
    "logged_gb": (0.50, "CloudWatch Logs, a GB taken in", CLOUDWATCH),
    "sent_gb": (0.09, "a GB to the internet", TRANSFER),
}

MEMORY_GB = 0.25  # deploy/template.yaml
# Assumed, since nobody is billed here: look at the dashboard's latency.
MS = 30  # of a warm invocation
# Of an invocation, as `make e2e-deployed` found them: Lambda's three lines, one of the function's and its metrics, 750 bytes; the
# access log's, 320; 26 that CloudWatch adds to each line.
LOG_BYTES = 1_230
FRAME_BYTES = 500
IMAGE_BYTES = 500_000


@dataclass
class Uses:
    """What one action uses. Units are counted by DynamoDB's rules from the calls that the code makes, for rows below 1 KB."""

    invocations: int = 0
    frames: int = 0
    rest_requests: int = 0
    write_units: float = 0
    read_units: float = 0
    connected_minutes: float = 0
    puts: int = 0
    gets: int = 0
    sent_bytes: int = 0

    def __add__(self, other: "Uses") -> "Uses":
        return Uses(*map(sum, zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)))

    def by_component(self) -> dict[str, float]:
        def price(name: str) -> float:
            return PRICES[name][0]

        gateway = self.frames * price("frame") + self.rest_requests * price("rest_request")
        runs = price("invocation") + MS / 1_000 * MEMORY_GB * price("gb_second")
        return {
            "API Gateway": gateway + self.connected_minutes * price("connected_minute"),
            "Lambda": self.invocations * runs,
            "DynamoDB": self.write_units * price("write_unit") + self.read_units * price("read_unit"),
            "S3": self.puts * price("put") + self.gets * price("get"),
            "logs": self.invocations * LOG_BYTES / 1e9 * price("logged_gb"),
            "transfer": self.sent_bytes / 1e9 * price("sent_gb"),
        }

    def cost(self) -> float:
        return sum(self.by_component().values())


def sending(devices: int) -> Uses:
    """The frame, its acknowledgement, and a push to every other device of both."""
    # One transaction of two items; the head and two lists of connections, eventually consistent.
    return Uses(
        invocations=1, frames=2 + devices, write_units=4, read_units=1.5, sent_bytes=(1 + devices) * FRAME_BYTES
    )


def read_mark(rows: int) -> Uses:
    """Who speaks, the newest row, both lists, the rows to mark; the mark, where marking stands, and each row."""
    return Uses(
        invocations=1,
        frames=3,
        write_units=2 + rows,
        read_units=1 + 1 + 1 + max(1, rows * FRAME_BYTES // 4_096),
        sent_bytes=2 * FRAME_BYTES,
    )


# The row and its place in the index, written and deleted; the list that the limit is checked with.
CONNECTING = Uses(invocations=2, write_units=4, read_units=0.5)
PAGE = Uses(invocations=1, rest_requests=1, read_units=50 * FRAME_BYTES / 4_096 / 2 + 0.5, sent_bytes=50 * FRAME_BYTES)
# Two indexes, thirty heads.
LIST = Uses(invocations=1, rest_requests=1, read_units=1 + 30 * 0.5, sent_bytes=30 * 300)
UPLOADING = Uses(invocations=1, rest_requests=1, puts=1)
OPENING = Uses(invocations=1, rest_requests=1, gets=1, sent_bytes=IMAGE_BYTES)
# 10 minutes of silence end a connection: a ping every 9. Its pong is a frame too, and who pings is looked up.
HOUR = Uses(invocations=7, frames=13, connected_minutes=60, read_units=7)

ACTIONS = {
    "connect, and later disconnect": CONNECTING,
    "an hour connected, with pings": HOUR,
    "send, one device at the other end": sending(1),
    "send, to three devices": sending(3),
    "send again what is stored": Uses(invocations=1, frames=2, read_units=2.5, sent_bytes=FRAME_BYTES),
    "mark one message read": read_mark(1),
    "mark 50 messages read": read_mark(50),
    "a page of history (50)": PAGE,
    "the list of conversations (30)": LIST,
    "propose a match": sending(1) + Uses(rest_requests=1, frames=-2),
    "send an image of 500 KB, opened once": UPLOADING + sending(1) + Uses(gets=1) + OPENING,
}


def dollars(amount: float) -> str:
    return f"{amount:.2f}"


def per_million() -> str:
    components = list(sending(1).by_component())
    lines = [
        f"| a million times | {' | '.join(components)} | together |",
        f"|---|{'---:|' * (len(components) + 1)}",
    ]
    for name, uses in ACTIONS.items():
        parts = [dollars(part * 1e6) if part else "" for part in uses.by_component().values()]
        lines.append(f"| {name} | {' | '.join(parts)} | **{dollars(uses.cost() * 1e6)}** |")
    return "\n".join(lines)


def prices() -> str:
    lines = ["| | US dollars |", "|---|---:|"]
    for price, what, page in PRICES.values():
        shown = f"{price * 1e6:g} a million" if price < 0.001 else f"{price:g}"
        lines.append(f"| [{what}]({page}) | {shown} |")
    return "\n".join(lines)


# A month of people who chat: for an hour on 20 days, 30 messages a day, half of them in one go with a read mark each, twice
# the list and five pages of history a day.
DAYS, MESSAGES = 20, 30


def month(people: int) -> float:
    day = CONNECTING.cost() + HOUR.cost() + MESSAGES * sending(1).cost() + MESSAGES / 2 * read_mark(2).cost()
    day += 2 * LIST.cost() + 5 * PAGE.cost()
    kept_gb = people * DAYS * MESSAGES * FRAME_BYTES / 1e9
    return people * DAYS * day + kept_gb * PRICES["table_gb_month"][0]


def months() -> str:
    lines = ["| people | messages a month | US dollars a month |", "|---:|---:|---:|"]
    for people in (100, 1_000, 10_000, 100_000):
        lines.append(f"| {people:,} | {people * DAYS * MESSAGES:,} | {month(people):,.2f} |")
    return "\n".join(lines)


TABLES = {"per million": per_million, "prices": prices, "months": months}


def written(text: str) -> str:
    for name, table in TABLES.items():
        marks = rf"(<!-- {name}: dev/cost\.py -->\n).*?(<!-- end -->)"
        text, count = re.subn(marks, lambda found: f"{found[1]}\n{table()}\n\n{found[2]}", text, flags=re.DOTALL)
        assert count == 1, name
    return text


def main() -> int:
    text = DOCUMENT.read_text(encoding="utf-8")
    if "--check" in sys.argv:
        if written(text) != text:
            print("docs/cost.md is not what dev/cost.py computes: run dev/cost.py", file=sys.stderr)
            return 1
        return 0
    DOCUMENT.write_text(written(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
