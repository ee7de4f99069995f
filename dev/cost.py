#!/usr/bin/env python3
"""Computes the tables of docs/cost.md from what each action uses, which docs/budget.toml says, and what AWS asks for it:
cost.py [--check]

Writes them between the marks in the document; with --check, says whether they stand there.
"""

import configparser
import dataclasses
import pathlib
import re
import sys
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "cost.md"
BUDGET = ROOT / "docs" / "budget.toml"

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
MS_OF_CALL = 10  # of a warm invocation, for each call of AWS in sequence; with none, the same once
# Of an invocation, as `make e2e-deployed` found them: Lambda's three lines, one of the function's and its metrics, 750 bytes; the
# access log's, 320; 26 that CloudWatch adds to each line.
LOG_BYTES = 1_230
FRAME_BYTES = 500
IMAGE_BYTES = 500_000


@dataclass
class Uses:
    """What one action uses: the first ten as measured, the bytes as assumed."""

    invocations: float = 0
    calls_in_sequence: float = 0
    frames: float = 0
    rest_requests: float = 0
    write_units: float = 0
    read_units: float = 0
    connected_minutes: float = 0
    s3_puts: float = 0
    s3_gets: float = 0
    sent_bytes: int = 0

    def __add__(self, other: "Uses") -> "Uses":
        return Uses(*map(sum, zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)))

    def by_component(self) -> dict[str, float]:
        def price(name: str) -> float:
            return PRICES[name][0]

        gateway = self.frames * price("frame") + self.rest_requests * price("rest_request")
        ms = MS_OF_CALL * max(self.calls_in_sequence, self.invocations)
        return {
            "API Gateway": gateway + self.connected_minutes * price("connected_minute"),
            "Lambda": self.invocations * price("invocation") + ms / 1_000 * MEMORY_GB * price("gb_second"),
            "DynamoDB": self.write_units * price("write_unit") + self.read_units * price("read_unit"),
            "S3": self.s3_puts * price("put") + self.s3_gets * price("get"),
            "logs": self.invocations * LOG_BYTES / 1e9 * price("logged_gb"),
            "transfer": self.sent_bytes / 1e9 * price("sent_gb"),
        }

    def cost(self) -> float:
        return sum(self.by_component().values())


def budget() -> dict[str, Uses]:
    """What was measured. The file has sections and numbers only, which this reads as Python 3.11's tomllib would."""
    parser = configparser.ConfigParser()
    parser.read_string(BUDGET.read_text(encoding="utf-8"))
    return {
        action: Uses(**{name: float(number) for name, number in parser[action].items()}) for action in parser.sections()
    }


MEASURED = budget()


def action(*names: str, sent_bytes: int = 0) -> Uses:
    """All of these, after another."""
    return sum((MEASURED[name] for name in names), Uses(sent_bytes=sent_bytes))


FRAME, PAGE, LIST = FRAME_BYTES, 50 * FRAME_BYTES, 30 * 300  # of the answers and pushes that leave AWS

ACTIONS = {
    "connect": action("connect"),
    "disconnect": action("disconnect"),
    "an hour connected and silent, with pings": action("hour_connected"),
    "send, one device at the other end": action("send_to_one_device", sent_bytes=2 * FRAME),
    "send, to three devices": action("send_to_three_devices", sent_bytes=4 * FRAME),
    "send the first message of a room": action("send_first_in_room", sent_bytes=2 * FRAME),
    "send a room's first message of a day": action("send_first_of_day", sent_bytes=2 * FRAME),
    "send again what is stored": action("send_duplicate", sent_bytes=FRAME),
    "show that one is typing": action("typing", sent_bytes=FRAME),
    "mark one message read": action("mark_read_1", sent_bytes=2 * FRAME),
    "mark 50 messages read": action("mark_read_50", sent_bytes=2 * FRAME),
    "a page of history (50)": action("history_page", sent_bytes=PAGE),
    "the list of conversations (30)": action("conversations_30", sent_bytes=LIST),
    "propose a match": action("proposal", sent_bytes=2 * FRAME),
    "send an image of 500 KB, opened once": action(
        "image_upload", "image_send", "image_open", sent_bytes=2 * FRAME + IMAGE_BYTES
    ),
}

# What is measured, as the document calls it.
UNITS = {
    "calls_in_sequence": "calls in sequence",
    "invocations": "invocations",
    "frames": "frames",
    "connected_minutes": "minutes connected",
    "rest_requests": "REST requests",
    "write_units": "write units",
    "read_units": "read units",
    "s3_puts": "S3 PUT",
    "s3_gets": "S3 GET",
}


def units() -> str:
    lines = [f"| | {' | '.join(UNITS.values())} |", f"|---|{'---:|' * len(UNITS)}"]
    for name, uses in ACTIONS.items():
        numbers = [getattr(uses, unit) for unit in UNITS]
        lines.append(f"| {name} | {' | '.join(f'{number:g}' if number else '' for number in numbers)} |")
    return "\n".join(lines)


def dollars(amount: float) -> str:
    return f"{amount:.2f}"


def per_million() -> str:
    components = list(Uses().by_component())
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
    # Who marks two messages marks one more than one.
    of_row = MEASURED["mark_read_50"].cost() - MEASURED["mark_read_1"].cost()
    mark_read_2 = ACTIONS["mark one message read"].cost() + of_row / 49
    day = ACTIONS["connect"].cost() + ACTIONS["an hour connected and silent, with pings"].cost()
    day += ACTIONS["disconnect"].cost()
    day += MESSAGES * ACTIONS["send, one device at the other end"].cost() + MESSAGES / 2 * mark_read_2
    day += 2 * ACTIONS["the list of conversations (30)"].cost() + 5 * ACTIONS["a page of history (50)"].cost()
    kept_gb = people * DAYS * MESSAGES * FRAME_BYTES / 1e9
    return people * DAYS * day + kept_gb * PRICES["table_gb_month"][0]


def months() -> str:
    lines = ["| people | messages a month | US dollars a month |", "|---:|---:|---:|"]
    for people in (100, 1_000, 10_000, 100_000):
        lines.append(f"| {people:,} | {people * DAYS * MESSAGES:,} | {month(people):,.2f} |")
    return "\n".join(lines)


TABLES = {"units": units, "per million": per_million, "prices": prices, "months": months}


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
