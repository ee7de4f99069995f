"""What the template has to hold, read from what SAM makes of it."""

import json
import pathlib
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from expand import expand, source

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESOURCES = expand()["Resources"]


def of_type(kind: str) -> dict[str, dict]:
    return {name: resource for name, resource in RESOURCES.items() if resource["Type"] == kind}


def properties(name: str) -> dict:
    return RESOURCES[name]["Properties"]


def text(value) -> str:
    """A value with its functions resolved as far as a reader needs: `{Table}`, `{Table.Arn}`."""
    match value:
        case {"Ref": name}:
            return f"{{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{{{name}.{attribute}}}"
        case {"Fn::Sub": str(template)}:
            return template.replace("${", "{")
        case _:
            return str(value)


def document(name: str) -> dict:
    return yaml.safe_load((ROOT / "docs" / name).read_text(encoding="utf-8"))


# ---- Routes


def socket_routes() -> dict[str, tuple[str, dict]]:
    """Each WebSocket route's key, with its logical id and properties."""
    routes = of_type("AWS::ApiGatewayV2::Route")
    return {route["Properties"]["RouteKey"]: (name, route["Properties"]) for name, route in routes.items()}


def assert_template_has(what: str, found: set, wanted: set):
    """Says what somebody who has changed the table of chat-wire is to do here."""
    missing, surplus = sorted(wanted - found), sorted(found - wanted)
    assert not missing, f"chat-wire/src/table.rs has it, deploy/template.yaml lacks the {what}: {missing}"
    assert not surplus, f"deploy/template.yaml has it, chat-wire/src/table.rs lacks the {what}: {surplus}"


def actions() -> dict[str, dict]:
    """Each action of the table, with what its generated document says of it."""
    operations = document("asyncapi.yaml")["operations"]
    return {name: operation for name, operation in operations.items() if operation["action"] == "receive"}


def test_there_is_a_route_for_every_action_and_no_other():
    wanted = actions().keys() | {"$connect", "$disconnect", "$default"}
    assert_template_has("WebSocket route", set(socket_routes()), wanted)


def test_every_route_that_answers_has_a_route_response():
    responses = of_type("AWS::ApiGatewayV2::RouteResponse").values()
    assert {response["Properties"]["RouteResponseKey"] for response in responses} == {"$default"}
    keys = {name: key for key, (name, _) in socket_routes().items()}
    found = {keys[response["Properties"]["RouteId"]["Ref"]] for response in responses}
    answering = {name for name, operation in actions().items() if operation["reply"]["messages"]} | {"$default"}
    assert_template_has("RouteResponse of the route", found, answering)
    for key in answering:
        _, route = socket_routes()[key]
        assert route["RouteResponseSelectionExpression"] == "$default", key


def test_each_route_leads_to_its_function():
    def function(route: dict) -> str:
        integration = properties(route["Target"]["Fn::Join"][1][1]["Ref"])
        return text(integration["IntegrationUri"]["Fn::Sub"][1]["FunctionArn"])

    leads_to = {key: function(route) for key, (_, route) in socket_routes().items()}
    assert leads_to.pop("$connect") == "{ConnectFunction.Arn}"
    assert leads_to.pop("$disconnect") == "{DisconnectFunction.Arn}"
    assert set(leads_to.values()) == {"{SendFunction.Arn}"}


def test_the_rest_routes_are_the_documented_ones_each_with_options():
    paths = properties("RestApi")["Body"]["paths"]
    documented = document("openapi.yaml")["paths"]
    methods = {"get", "post", "put", "patch", "delete"}
    wanted = {(path, method) for path, item in documented.items() for method in {*(item.keys() & methods), "options"}}
    assert_template_has("REST route", {(path, method) for path, item in paths.items() for method in item}, wanted)
    for path, item in paths.items():
        for method, operation in item.items():
            integration = operation["x-amazon-apigateway-integration"]
            assert integration["type"] == "aws_proxy", (path, method)
            assert "HistoryFunction" in text(integration["uri"]), (path, method)


def test_the_rest_api_has_one_stage_and_it_is_prod():
    stages = of_type("AWS::ApiGateway::Stage").values()
    assert [stage["Properties"]["StageName"] for stage in stages] == ["prod"]


# ---- Functions


FUNCTIONS = {"connect", "disconnect", "send", "history"}


def test_there_are_the_four_functions_of_the_seed():
    functions = of_type("AWS::Lambda::Function").values()
    names = {text(function["Properties"]["FunctionName"]) for function in functions}
    assert names == {f"{{Prefix}}-chat-{name}" for name in FUNCTIONS}
    assert source()["Parameters"]["Prefix"]["Default"] == "playground"


def test_functions_are_binaries_that_cargo_lambda_builds():
    for name in FUNCTIONS:
        logical = f"{name.capitalize()}Function"
        assert source()["Resources"][logical]["Metadata"]["BuildMethod"] == "rust-cargolambda"
        built = source()["Resources"][logical]["Metadata"]["BuildProperties"]["Binary"]
        assert built == name
        assert (properties(logical)["Runtime"], properties(logical)["Handler"]) == ("provided.al2023", "bootstrap")
        assert properties(logical)["Architectures"] == [{"Ref": "Architecture"}]


def settings(file: str, section: str) -> set[str]:
    text = (ROOT / file).read_text(encoding="utf-8").split(f"\n[{section}]\n")[1].split("\n[")[0]
    return {line for line in text.splitlines() if "=" in line and not line.startswith("#")} - {'inherits = "release"'}


def test_sam_builds_what_make_package_builds():
    for suffix in ("", '.package."*"'):
        ours = settings("Cargo.toml", f"profile.deployed{suffix}")
        assert ours and settings("chat-lambda/.cargo/config.toml", f"profile.release{suffix}") == ours


def test_each_function_is_told_what_it_needs_and_no_more():
    told = {name: set(properties(f"{name.capitalize()}Function")["Environment"]["Variables"]) for name in FUNCTIONS}
    identity = {"COGNITO_ISSUER", "COGNITO_CLIENT_IDS"}
    stores = {"CONNECTIONS_TABLE", "MESSAGES_TABLE", "ROOMS_TABLE", "ATTACHMENTS_BUCKET"}
    rate = {"SEND_BURST", "SEND_PER_SECOND"}
    assert told == {
        "connect": {"CONNECTIONS_TABLE", "WEBSOCKET_CALLBACK_URL", "ALLOWED_ORIGINS", *identity},
        "disconnect": {"CONNECTIONS_TABLE"},
        "send": {"WEBSOCKET_CALLBACK_URL", *stores, *identity, *rate},
        "history": {"WEBSOCKET_CALLBACK_URL", "ALLOWED_ORIGINS", *stores, *identity, *rate},
    }


def test_a_page_can_read_what_the_gateway_answers_itself():
    answers = properties("RestApi")["Body"]["x-amazon-apigateway-gateway-responses"]
    assert answers.keys() == {"DEFAULT_4XX", "DEFAULT_5XX"}
    for answer in answers.values():
        assert answer["responseParameters"] == {
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            "gatewayresponse.header.Cache-Control": "'no-store'",
        }


def test_a_function_has_time_to_say_that_it_has_none_and_the_gateway_is_still_there():
    run = (ROOT / "chat-lambda" / "src" / "aws" / "run.rs").read_text(encoding="utf-8")
    answers_within = int(re.search(r"ANSWER_WITHIN: Duration = Duration::from_secs\((\d+)\);", run)[1])
    for function in of_type("AWS::Lambda::Function").values():
        # API Gateway waits for 29 s, of either API.
        assert answers_within < function["Properties"]["Timeout"] <= 29


# ---- What each may do


def granted(role: str) -> dict[str, set[str]]:
    """The actions of a role's own statements, by resource, without those on its log."""
    found: dict[str, set[str]] = {}
    assert "ManagedPolicyArns" not in properties(role)
    for policy in properties(role)["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            actions, resources = statement["Action"], statement["Resource"]
            for resource in resources if isinstance(resources, list) else [resources]:
                short = text(resource).replace("arn:{AWS::Partition}:execute-api:{AWS::Region}:{AWS::AccountId}:", "")
                assert short != "*"
                found.setdefault(short, set()).update(actions if isinstance(actions, list) else [actions])
    log = found.pop(f"{{{role.removesuffix('Role')}Log.Arn}}")
    assert log == {"logs:CreateLogStream", "logs:PutLogEvents"}
    return found


MANAGE = {"execute-api:ManageConnections"}


@pytest.mark.parametrize(
    ("function", "may"),
    [
        (
            "connect",
            {
                "{ConnectionsTable.Arn}": {"dynamodb:PutItem", "dynamodb:DeleteItem"},
                "{ConnectionsTable.Arn}/index/email-index": {"dynamodb:Query"},
                "{WebSocketApi}/prod/DELETE/@connections/*": MANAGE,
            },
        ),
        ("disconnect", {"{ConnectionsTable.Arn}": {"dynamodb:DeleteItem"}}),
        (
            "send",
            {
                "{ConnectionsTable.Arn}": {"dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"},
                "{ConnectionsTable.Arn}/index/email-index": {"dynamodb:Query"},
                "{MessagesTable.Arn}": {"dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem"},
                "{RoomsTable.Arn}": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
                "{AttachmentsBucket.Arn}": {"s3:ListBucket"},
                "{AttachmentsBucket.Arn}/*": {"s3:GetObject", "s3:DeleteObjectTagging"},
                "{WebSocketApi}/prod/POST/@connections/*": MANAGE,
                "{WebSocketApi}/prod/DELETE/@connections/*": MANAGE,
            },
        ),
        (
            "history",
            {
                "{ConnectionsTable.Arn}": {"dynamodb:DeleteItem"},
                "{ConnectionsTable.Arn}/index/email-index": {"dynamodb:Query"},
                "{MessagesTable.Arn}": {"dynamodb:Query", "dynamodb:PutItem"},
                "{RoomsTable.Arn}": {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:UpdateItem"},
                "{RoomsTable.Arn}/index/memberA-index": {"dynamodb:Query"},
                "{RoomsTable.Arn}/index/memberB-index": {"dynamodb:Query"},
                "{AttachmentsBucket.Arn}": {"s3:ListBucket"},
                "{AttachmentsBucket.Arn}/*": {"s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"},
                "{WebSocketApi}/prod/POST/@connections/*": MANAGE,
            },
        ),
    ],
)
def test_a_function_may_do_this_and_no_more(function, may):
    assert properties(f"{function.capitalize()}Function")["Role"] == {"Fn::GetAtt": [f"{function.capitalize()}Role", "Arn"]}
    assert granted(f"{function.capitalize()}Role") == may


def test_no_function_may_do_everything_to_anything():
    for role in of_type("AWS::IAM::Role"):
        for policy in properties(role).get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                assert "*" not in "".join(actions), role


# ---- What is kept


def keys(schema: list[dict]) -> str:
    return ", ".join(f"{key['AttributeName']} {key['KeyType']}" for key in schema)


def test_the_tables_are_those_that_the_adapter_creates():
    lines = []
    for name in ("connections", "messages", "rooms"):
        table = properties(f"{name.capitalize()}Table")
        lines.append(f"{name}: {keys(table['KeySchema'])}")
        for index in sorted(table.get("GlobalSecondaryIndexes", []), key=lambda index: index["IndexName"]):
            projected = index["Projection"]["ProjectionType"]
            lines.append(f"  {index['IndexName']}: {keys(index['KeySchema'])} ({projected})")
    # What the adapter creates, as DynamoDB described it.
    folder = ROOT / "chat-adapters-aws" / "tests" / "snapshots"
    (snapshot,) = folder.glob("create_tables__the_tables_have_the_keys_and_indexes_of_the_design.snap")
    created = snapshot.read_text(encoding="utf-8").split("---\n", 2)[2]
    assert lines == created.rstrip().splitlines()


def test_the_tables_have_the_names_of_the_seed():
    names = {text(table["Properties"]["TableName"]) for table in of_type("AWS::DynamoDB::Table").values()}
    assert names == {"{Prefix}-connections", "{Prefix}-messages", "{Prefix}-rooms"}


def test_every_key_of_a_table_is_text():
    for name, table in of_type("AWS::DynamoDB::Table").items():
        assert {key["AttributeType"] for key in table["Properties"]["AttributeDefinitions"]} == {"S"}, name


def test_tables_are_on_demand_and_can_be_restored():
    for name, table in of_type("AWS::DynamoDB::Table").items():
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST", name
        assert table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], name


def test_connections_expire():
    assert properties("ConnectionsTable")["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}


@pytest.mark.parametrize("name", ["MessagesTable", "RoomsTable", "AttachmentsBucket", "UserPool"])
def test_what_people_have_written_outlives_the_stack(name):
    assert RESOURCES[name]["DeletionPolicy"] == RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_is_private_and_forgets_uploads_that_nobody_named():
    bucket = properties("AttachmentsBucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    (denied,) = properties("AttachmentsBucketPolicy")["PolicyDocument"]["Statement"]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    pending, parts = bucket["LifecycleConfiguration"]["Rules"]
    (tag,) = pending["TagFilters"]
    assert (pending["Status"], pending["ExpirationInDays"]) == ("Enabled", 1)
    # The rule sees an upload if it bears the tag: what an upload URL signs.
    signed = (ROOT / "chat-adapters-aws/tests/snapshots/attachments__upload.snap").read_text(encoding="utf-8")
    assert f'("x-amz-tagging", "{tag["Key"]}={tag["Value"]}")' in signed
    assert "x-amz-tagging" in re.search(r"X-Amz-SignedHeaders=(\S+)", signed)[1]
    # And it ceases to see what a message names: whoever sends may take the tag off.
    assert "s3:DeleteObjectTagging" in granted("SendRole")["{AttachmentsBucket.Arn}/*"]
    assert "s3:PutObjectTagging" in granted("HistoryRole")["{AttachmentsBucket.Arn}/*"]
    assert parts["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    (cors,) = bucket["CorsConfiguration"]["CorsRules"]
    assert cors["AllowedOrigins"] == {"Ref": "AllowedOrigins"}
    assert set(cors["AllowedMethods"]) == {"GET", "PUT"}
    # A browser sends no header that the bucket does not allow.
    headers = set(re.findall(r'\("([\w-]+)", "', signed))
    assert headers == set(cors["AllowedHeaders"])


# ---- Who may sign in


def test_nobody_can_take_an_address_that_is_not_theirs():
    pool, client = properties("UserPool"), properties("UserPoolClient")
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}
    assert pool["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    assert "email" not in client["WriteAttributes"] and client["WriteAttributes"]
    assert client["GenerateSecret"] is False
    assert client["AllowedOAuthFlows"] == ["code"]
    # Without it GetUser, and so every connect, is refused.
    assert "aws.cognito.signin.user.admin" in client["AllowedOAuthScopes"]


def test_the_page_is_told_where_everything_is():
    config = json.loads(re.sub(r"\$\{([\w:]+)\}", r"{\1}", source()["Outputs"]["WebConfig"]["Value"]["Fn::Sub"]))
    assert config["wsUrl"] == source()["Outputs"]["WebSocketUrl"]["Value"]["Fn::Sub"].replace("${", "{")
    assert config["restUrl"] == source()["Outputs"]["RestUrl"]["Value"]["Fn::Sub"].replace("${", "{")
    assert config["auth"]["mode"] == "oidc"
    assert config["auth"]["scope"].split() == properties("UserPoolClient")["AllowedOAuthScopes"]


def test_the_pool_sends_the_browser_back_only_to_where_the_page_asks_for():
    page = (ROOT / "web/lib/auth/oidc.ts").read_text()
    (path,) = re.findall(r"^export const RETURN_PATH = '(.+)'$", page, re.MULTILINE)
    client = properties("UserPoolClient")
    assert [text(url) for url in client["CallbackURLs"]] == [f"{{PageOrigin}}{path}"]
    config = json.loads(re.sub(r"\$\{([\w:]+)\}", r"{\1}", source()["Outputs"]["WebConfig"]["Value"]["Fn::Sub"]))
    asked = parse_qs(urlsplit(config["auth"]["logoutUrl"]).query)
    assert asked["logout_uri"] == [text(url) for url in client["LogoutURLs"]] == ["{PageOrigin}/"]


def test_a_pool_is_made_only_when_none_is_given():
    for name, resource in RESOURCES.items():
        if resource["Type"].startswith("AWS::Cognito::"):
            assert resource["Condition"] == "CreatePool", name


# ---- Logs, alarms


SAFE = {
    "requestId", "requestTime", "eventType", "routeKey", "status", "connectionId", "httpMethod", "resourcePath",
    "integration.status", "integration.latency", "responseLatency", "responseLength", "error.message",
}  # fmt: skip


@pytest.mark.parametrize(
    "settings",
    [
        properties("WebSocketApiprodStage")["AccessLogSettings"],
        properties("RestApiprodStage")["AccessLogSetting"],
    ],
    ids=["websocket", "rest"],
)
def test_access_logs_hold_neither_query_strings_nor_addresses(settings):
    used = set(re.findall(r"\$context\.([\w.]+)", settings["Format"]))
    assert used <= SAFE
    assert "\n" not in settings["Format"]
    # It is JSON, once something stands in every place.
    assert json.loads(re.sub(r"\$context\.[\w.]+", "x", settings["Format"])).keys() >= {"requestId", "status"}


def test_a_stage_that_logs_comes_after_the_role_that_logs():
    # By a reference: DependsOn takes nothing that may be absent.
    reference = {"Fn::If": ["CreateApiGatewayLogRole", {"Ref": "ApiGatewayAccount"}, "kept"]}
    assert reference in properties("WebSocketApi")["Tags"].values()
    assert properties("WebSocketApiprodStage")["ApiId"] == {"Ref": "WebSocketApi"}
    assert reference in [tag["Value"] for tag in properties("RestApiprodStage")["Tags"]]


def test_requests_are_not_traced_into_logs():
    (settings,) = properties("RestApiprodStage")["MethodSettings"]
    assert settings["DataTraceEnabled"] is False
    assert "DataTraceEnabled" not in properties("WebSocketApiprodStage")["DefaultRouteSettings"]


def test_both_apis_are_throttled():
    (rest,) = properties("RestApiprodStage")["MethodSettings"]
    for settings in (rest, properties("WebSocketApiprodStage")["DefaultRouteSettings"]):
        assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
        assert settings["ThrottlingBurstLimit"] == {"Ref": "RequestBurst"}


def test_logs_are_kept_for_a_while_only():
    logs = of_type("AWS::Logs::LogGroup")
    assert len(logs) == 6
    for name, log in logs.items():
        assert log["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
    for name in FUNCTIONS:
        log = properties(f"{name.capitalize()}Function")["LoggingConfig"]["LogGroup"]
        assert log == {"Ref": f"{name.capitalize()}Log"}


def metrics_that_ring() -> list[dict]:
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    queries = [query for alarm in alarms for query in alarm["Properties"]["Metrics"] if "MetricStat" in query]
    return [query["MetricStat"]["Metric"] for query in queries]


def test_errors_throttles_and_lost_pushes_ring():
    assert {(metric["Namespace"], metric["MetricName"]) for metric in metrics_that_ring()} >= {
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/ApiGateway", "5XXError"),
        ("AWS/DynamoDB", "WriteThrottleEvents"),
        ("Chat", "Failures"),
        ("Chat", "Gone"),
    }


def test_the_page_of_costs_knows_how_many_metrics_alarms_look_at():
    cost = (ROOT / "docs/cost.md").read_text(encoding="utf-8")
    assert f"alarms over {len(metrics_that_ring())} metrics" in cost


def test_every_function_that_pushes_is_heard_by_the_alarm_for_lost_pushes():
    queries = [query["MetricStat"]["Metric"] for query in properties("PushesGoneAlarm")["Metrics"] if "MetricStat" in query]
    heard = {(metric["MetricName"], metric["Dimensions"][0]["Value"]["Ref"]) for metric in queries}
    pushing = ["SendFunction", "HistoryFunction"]
    assert heard == {(name, function) for name in ("Gone", "Pushes") for function in pushing}


def test_an_alarm_has_one_result_and_tells_the_topic():
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        results = [query for query in alarm["Properties"]["Metrics"] if query.get("ReturnData", True)]
        assert len(results) == 1, name
        assert len(alarm["Properties"]["Metrics"]) <= 10, name
        assert alarm["Properties"]["AlarmActions"] == [{"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AWS::NoValue"}]}]


def test_the_dashboard_is_json():
    body = properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(re.sub(r"\$\{[\w:.]+\}", "x", body))["widgets"]
    assert len(widgets) == 6
