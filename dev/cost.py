#!/usr/bin/env python3
"""Computes the tables of docs/cost.md from what each action uses, which docs/budget.toml says, and what AWS asks for it:
cost.py [--check]

It writes them between the marks in the document. With --check it only compares them with the document.
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
WAF = "https://aws.amazon.com/waf/pricing/"
CLOUDFRONT = "https://aws.amazon.com/cloudfront/pricing/"
KMS = "https://aws.amazon.com/kms/pricing/"
COGNITO = "https://aws.amazon.com/cognito/pricing/"
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
    "copied_gb": (0.02, "a GB to another region", TRANSFER),
    "alarm_month": (0.10, "CloudWatch alarm, a metric for a month", CLOUDWATCH),
    "metric_month": (0.30, "CloudWatch, a metric of one's own for a month", CLOUDWATCH),
    "firewall_month": (5.0, "AWS WAF, a web ACL for a month", WAF),
    "rule_month": (1.0, "AWS WAF, a rule for a month", WAF),
    "inspected_request": (0.60e-6, "AWS WAF, a request", WAF),
    "edge_request": (1.00e-6, "CloudFront, an HTTPS request", CLOUDFRONT),
    "edge_gb": (0.085, "CloudFront, a GB to the internet", CLOUDFRONT),
    "key_month": (1.0, "KMS, a key for a month", KMS),
    "key_call": (3.0e-6, "KMS, a call", KMS),
    "plus_user_month": (0.02, "Cognito Plus, a monthly user", COGNITO),
}

MEMORY_GB = 0.25  # deploy/template.yaml
# These durations are assumptions, since no deployment was measured: compare them with the latency on the dashboard.
MS_OF_CALL = 10  # of a warm invocation, for each call of AWS in sequence; with none, the same once
# What is logged, as measured in `make e2e-deployed`, and 26 bytes that CloudWatch adds to each line. A process that is invoked ten times a minute
# shares one line of metrics among them: 420 bytes, and 5 for each latency. A busier one pays less, one that is invoked once a minute 450.
METRICS_BYTES = (420 + 26) / 10 + 5
# The gateway's line for a REST request, and a function's for what it tells of: connects, consent, reports, URLs of images, refusals.
REST_LINE_BYTES = 320 + 26
LINE_BYTES = 330 + 26
FRAME_BYTES = 500
IMAGE_BYTES = 500_000


@dataclass
class Uses:
    """What one action uses: the first ten as measured, the bytes and the lines in the functions' logs as assumed."""

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
    lines: int = 0

    def __add__(self, other: "Uses") -> "Uses":
        return Uses(*map(sum, zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)))

    def by_component(self) -> dict[str, float]:
        def price(name: str) -> float:
            return PRICES[name][0]

        gateway = self.frames * price("frame") + self.rest_requests * price("rest_request")
        ms = MS_OF_CALL * max(self.calls_in_sequence, self.invocations)
        logged_bytes = self.invocations * METRICS_BYTES + self.rest_requests * REST_LINE_BYTES + self.lines * LINE_BYTES
        return {
            "API Gateway": gateway + self.connected_minutes * price("connected_minute"),
            "Lambda": self.invocations * price("invocation") + ms / 1_000 * MEMORY_GB * price("gb_second"),
            "DynamoDB": self.write_units * price("write_unit") + self.read_units * price("read_unit"),
            "S3": self.s3_puts * price("put") + self.s3_gets * price("get"),
            "logs": logged_bytes / 1e9 * price("logged_gb"),
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
# What a line of the document is about.
NAMED: set[str] = set()


def action(*names: str, sent_bytes: int = 0, lines: int = 0) -> Uses:
    """All of these, after another."""
    NAMED.update(names)
    return sum((MEASURED[name] for name in names), Uses(sent_bytes=sent_bytes, lines=lines))


# What is left of long answers when the gateway has compressed them: `a_page_of_history_is_compressed_on_the_way` in
# chat-local/tests/chat.rs, which finds 0.29, fails above it.
COMPRESSED_TO = 0.35
# The bytes of the answers and pushes that leave AWS.
FRAME, PAGE, LIST = FRAME_BYTES, int(50 * FRAME_BYTES * COMPRESSED_TO), int(30 * 300 * COMPRESSED_TO)

ACTIONS = {
    "connect": action("connect", lines=1),
    "connect for the first time": action("connect_first", lines=1),
    "disconnect": action("disconnect"),
    "ping": action("ping", sent_bytes=FRAME),
    "extend a login by a newer token": action("reauth", sent_bytes=FRAME),
    "an hour connected and silent, with pings": action("hour_connected", lines=1),
    "send, one device at the other end": action("send_to_one_device", sent_bytes=2 * FRAME),
    "send, to three devices": action("send_to_three_devices", sent_bytes=4 * FRAME),
    "send the first message of a room": action("send_first_in_room", sent_bytes=2 * FRAME),
    "send a room's first message of a day": action("send_first_of_day", sent_bytes=2 * FRAME),
    "send again what is stored": action("send_duplicate", sent_bytes=FRAME),
    "reply, one device at the other end": action("reply", sent_bytes=2 * FRAME),
    "react to a message": action("react", sent_bytes=2 * FRAME),
    "edit a message": action("edit", sent_bytes=2 * FRAME),
    "delete a message": action("delete", sent_bytes=2 * FRAME),
    "delete an image": action("image_delete", sent_bytes=2 * FRAME),
    "accept a request": action("accept", sent_bytes=FRAME, lines=1),
    "block somebody": action("block", sent_bytes=FRAME, lines=1),
    "block somebody no longer": action("unblock", sent_bytes=FRAME, lines=1),
    "clear a conversation for oneself": action("clear", sent_bytes=FRAME),
    "report a message": action("report", sent_bytes=FRAME, lines=1),
    "show that one is typing": action("typing", sent_bytes=FRAME),
    "mark one message read": action("mark_read_1", sent_bytes=2 * FRAME),
    "mark 50 messages read": action("mark_read_50", sent_bytes=2 * FRAME),
    "a page of history (50)": action("history_page", sent_bytes=PAGE),
    "a page of history (50) of which ten are changes": action("history_page_with_ten_changes", sent_bytes=PAGE),
    "search in 20 pages of a conversation": action("search_20_pages", sent_bytes=FRAME),
    "the list of conversations (30)": action("conversations_30", sent_bytes=LIST),
    "the list of whom one blocks, of 30 conversations": action("blocked_of_30", sent_bytes=FRAME),
    "propose a match": action("proposal", sent_bytes=2 * FRAME),
    "send an image of 500 KB, opened once": action(
        "image_upload", "image_send", "image_open", sent_bytes=2 * FRAME + IMAGE_BYTES, lines=2
    ),
}

UNUSED = set(MEASURED) - NAMED
assert not UNUSED, f"docs/budget.toml has {sorted(UNUSED)}, and docs/cost.md no line for them: add one to ACTIONS"

# These are the document's names for what is measured.
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


# How many rules the firewalls have, which deploy/test_template.py compares with the templates.
REST_FIREWALL_RULES, EDGE_FIREWALL_RULES = 2, 3
# How many metrics S3 writes of a bucket's requests, each of which costs like one's own.
BUCKET_METRICS = 16


def options() -> str:
    def price(name: str) -> float:
        return PRICES[name][0]

    def firewall(rules: int) -> float:
        return price("firewall_month") + rules * price("rule_month")

    inspected = price("inspected_request") * 1e6
    edge = inspected + price("edge_request") * 1e6
    less = (price("sent_gb") - price("edge_gb")) * 1e3
    lines = {
        "`RestFirewall=on`": (firewall(REST_FIREWALL_RULES), f"{dollars(inspected)} a million REST requests, refused ones too"),
        "`deploy/edge.yaml`": (
            firewall(EDGE_FIREWALL_RULES),
            f"{dollars(edge)} a million requests and connects; frames on an open connection count for their bytes only, "
            f"and 1,000 GB sent cost {dollars(less)} less",
        ),
        "`KmsKeyArn`": (price("key_month"), f"{dollars(price('key_call') * 1e6)} a million calls; tables and bucket keep what they got for minutes"),
        "`ImagesPrivateKey`": (
            0,
            f"{dollars(price('edge_request') * 1e6)} a million openings, and 1,000 GB sent cost {dollars(less)} less",
        ),
        "`ImagesFirewallArn`": (
            firewall(1),
            f"with one rule; {dollars(inspected)} a million openings",
        ),
        "`AlarmImageMegabytes`": (BUCKET_METRICS * price("metric_month") + price("alarm_month"), ""),
        "`ThreatProtection`": (0, f"{dollars(price('plus_user_month'))} for each monthly user"),
        "`ImageVersionDays`": (0, "what was deleted is stored for so many days more"),
        "`ReplicaBucketArn`": (0, f"each image once more: {dollars(price('copied_gb'))} a GB to copy, its storage, and a PUT"),
        "`MonthlyBudget`, `Rollout`, concurrency, `Mfa` by app": (0, "nothing"),
    }
    rows = [f"| {name} | {dollars(month) if month else ''} | {more} |" for name, (month, more) in lines.items()]
    return "\n".join(["| option | a month | and for what is used |", "|---|---:|---|", *rows])


TABLES = {"units": units, "per million": per_million, "prices": prices, "months": months, "options": options}


def write_or_check(document: pathlib.Path, tables: dict, script: str) -> int:
    """Writes the tables between their marks in the document; with --check it only compares them, and says whether it failed."""
    text = before = document.read_text(encoding="utf-8")
    for name, table in tables.items():
        marks = rf"(<!-- {name}: dev/{re.escape(script)} -->\n).*?(<!-- end -->)"
        text, count = re.subn(marks, lambda found: f"{found[1]}\n{table()}\n\n{found[2]}", text, flags=re.DOTALL)
        assert count == 1, name
    if "--check" not in sys.argv:
        document.write_text(text, encoding="utf-8")
    elif text != before:
        print(f"docs/{document.name} is not what dev/{script} computes: run dev/{script}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(write_or_check(DOCUMENT, TABLES, "cost.py"))
