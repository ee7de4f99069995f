"""The chat under test, and which tests it cannot run."""

import os
import uuid

import pytest

from chat import Chat, CognitoAccounts, chat_from_environment

# What each target lacks, and why. The tests that need it are left out, and named at the end. A target that lacks more or less than
# this list says is an error, so that no test is left out unnoticed.
LACKS = {
    "local": {
        "cognito": "people sign in as whoever they say",
        "second_pool": "there is no pool, and so no other one",
        "database": "no port leads to its rows",
        "admin": "chat-admin opens a folder that nobody else uses meanwhile",
        "bucket": "images are of the page's own origin",
    },
    "dynamodb": {
        "cognito": "people sign in as whoever they say",
        "second_pool": "there is no pool, and so no other one",
        "admin": "there is no bucket",
        "bucket": "images are of the page's own origin",
    },
    "deployed": {},
    # A deployment of anybody's, whose tests depend on what the environment names.
    "elsewhere": None,
}

# What each target does differently from AWS. These tests run and have to fail there; one that passes is an error.
DEVIATES = {
    "deployed": {
        "test_a_token_comes_as_a_subprotocol": "the emulator keeps the headers of $connect's answer to itself",
        "test_a_frame_that_the_gateway_does_not_take_closes[above 32 KB]": "the emulator has no limit",
        "test_a_frame_that_the_gateway_does_not_take_closes[binary]": "the emulator takes it for text",
    },
}

TARGET = os.environ.get("E2E_TARGET", "elsewhere")


def offered(chat: Chat) -> dict[str, bool]:
    return {
        "cognito": isinstance(chat.accounts, CognitoAccounts),
        "page": chat.origin is not None,
        "second_pool": chat.foreign_token is not None,
        "database": chat.rows is not None,
        "admin": chat.admin is not None,
        "bucket": chat.has_bucket,
        "own_kinds": chat.has_own_kinds,
    }


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(what): what a target must have")
    try:
        config.chat = chat_from_environment()
    except LookupError as error:
        raise pytest.UsageError(str(error)) from None
    lacking = {what for what, there in offered(config.chat).items() if not there}
    expected = LACKS[TARGET]
    if expected is not None and lacking != expected.keys():
        raise pytest.UsageError(f"{TARGET} lacks {sorted(lacking)}, and should lack {sorted(expected)}")
    config.lacking = lacking
    config.left_out = []


def pytest_collection_modifyitems(config, items):
    kept = []
    for item in items:
        needed = {need for mark in item.iter_markers("needs") for need in mark.args}
        if needed & config.lacking:
            config.left_out.append((item.name, sorted(needed & config.lacking)))
        else:
            kept.append(item)
    deviating = DEVIATES.get(TARGET, {})
    for item in kept:
        if item.name in deviating:
            item.add_marker(pytest.mark.xfail(reason=deviating[item.name], strict=True))
    items[:] = kept


def pytest_terminal_summary(terminalreporter, config):
    for name, lacking in config.left_out:
        reasons = "; ".join((LACKS[TARGET] or {}).get(what, f"the environment names no {what}") for what in lacking)
        terminalreporter.write_line(f"not told of {TARGET}: {name}: {reasons}")


@pytest.fixture(scope="session")
def chat(pytestconfig):
    chat = pytestconfig.chat
    yield chat
    chat.accounts.close()


@pytest.fixture
def people(chat):
    """Makes people that no other test knows, and ends their connections."""
    suffix = uuid.uuid4().hex[:10]

    def make(*names):
        return [chat.person(f"{name}+{suffix}@example.com") for name in names]

    yield make
    chat.open_sockets.close()


@pytest.fixture
def minji_and_junho(people):
    return people("minji", "junho")
