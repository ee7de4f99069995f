"""Tests of the templates, as SAM expands them."""

import json
import math
import os
import pathlib
import re
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from samtranslator.yaml_helper import yaml_parse

from expand import expand, source

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "dev"))
from cost import EDGE_FIREWALL_RULES, REST_FIREWALL_RULES  # noqa: E402

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
    """Tells somebody who has changed the table of chat-wire what to change in the template."""
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
    assert leads_to.pop("$connect") == "{ConnectFunctionAliaslive}"
    assert leads_to.pop("$disconnect") == "{DisconnectFunctionAliaslive}"
    assert set(leads_to.values()) == {"{SendFunctionAliaslive}"}


def rest_operations() -> list[tuple[str, str, dict]]:
    """Each path and method of REST that is not a preflight, with its operation."""
    paths = properties("RestApi")["Body"]["paths"]
    return [(path, method, it) for path, item in paths.items() for method, it in item.items() if method != "options"]


def test_the_rest_routes_are_the_documented_ones_each_with_options():
    paths = properties("RestApi")["Body"]["paths"]
    documented = document("openapi.yaml")["paths"]
    methods = {"get", "post", "put", "patch", "delete"}
    wanted = {(path, method) for path, item in documented.items() for method in {*(item.keys() & methods), "options"}}
    assert_template_has("REST route", {(path, method) for path, item in paths.items() for method in item}, wanted)
    for path, method, operation in rest_operations():
        integration = operation["x-amazon-apigateway-integration"]
        assert integration["type"] == "aws_proxy", (path, method)
        assert "{HistoryFunctionAliaslive}" in text(integration["uri"]), (path, method)


def test_the_gateway_refuses_who_has_no_token_and_answers_preflights_without_a_function():
    api = properties("RestApi")["Body"]
    (scheme,) = [it for it in api["components"]["securitySchemes"].values() if "x-amazon-apigateway-authorizer" in it]
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert (scheme["name"], authorizer["type"]) == ("Authorization", "cognito_user_pools")
    (pool,) = authorizer["providerARNs"]
    assert pool["Fn::Sub"][0].endswith("userpool/${Pool}")
    for path, method, operation in rest_operations():
        assert operation["security"] == [{"Pool": ["aws.cognito.signin.user.admin"]}], (path, method)
    # Everybody who signs in through the stack's own pool gets that scope.
    assert "aws.cognito.signin.user.admin" in properties("UserPoolClient")["AllowedOAuthScopes"]
    preflights = [item["options"] for item in api["paths"].values()]
    for preflight in preflights:
        assert preflight["x-amazon-apigateway-integration"]["type"] == "mock"
        assert "security" not in preflight
        (answer,) = preflight["x-amazon-apigateway-integration"]["responses"].values()
        headers = {name.rsplit(".", 1)[1]: value for name, value in answer["responseParameters"].items()}
        assert headers["Access-Control-Allow-Headers"] == "'authorization,content-type'"
        assert headers["Access-Control-Allow-Origin"] == "'*'"
        assert "OPTIONS" in headers["Access-Control-Allow-Methods"]


def test_what_the_gateway_says_of_a_token_is_what_a_function_says():
    answer = properties("RestApi")["Body"]["x-amazon-apigateway-gateway-responses"]["UNAUTHORIZED"]
    said = json.loads(answer["responseTemplates"]["application/json"])
    assert (answer["statusCode"], said["code"], said["retryable"]) == ("401", "unauthorized", False)
    body = document("openapi.yaml")["components"]["schemas"]["ErrorBody"]
    assert set(body["required"]) <= said.keys() <= body["properties"].keys()


def test_answers_are_compressed_from_as_many_bytes_on_as_on_a_laptop():
    (local,) = re.findall(r"MINIMUM_COMPRESSION_SIZE: u16 = (\d+)", (ROOT / "chat-local/src/gateway.rs").read_text())
    assert properties("RestApi")["MinimumCompressionSize"] == int(local)


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


def test_the_same_binaries_make_the_same_zips(tmp_path):
    zips = []
    for folder, made_at in (("one", 1_700_000_000), ("another", 1_800_000_000)):
        for name in FUNCTIONS:
            binary = tmp_path / folder / name / "bootstrap"
            binary.parent.mkdir(parents=True)
            binary.write_bytes(f"the {name} function".encode() * 1_000)
            os.utime(binary, (made_at, made_at))
        subprocess.run([ROOT / "dev" / "zip-functions.py", tmp_path / folder, *FUNCTIONS], check=True, capture_output=True)
        zips.append({name: (tmp_path / folder / f"{name}.zip").read_bytes() for name in FUNCTIONS})
    assert zips[0] == zips[1]
    assert len(set(zips[0].values())) == len(FUNCTIONS), "other binaries make other zips"


def test_each_function_is_told_what_it_needs_and_no_more():
    told = {name: set(properties(f"{name.capitalize()}Function")["Environment"]["Variables"]) for name in FUNCTIONS}
    identity = {"COGNITO_ISSUER", "COGNITO_CLIENT_IDS", "LOG_TAG_KEY"}
    stores = {"CONNECTIONS_TABLE", "MESSAGES_TABLE", "ROOMS_TABLE", "USERS_TABLE", "ATTACHMENTS_BUCKET"}
    rate = {"SEND_BURST", "SEND_PER_SECOND", "REQUEST_BURST", "REQUESTS_PER_SECOND", "REQUESTS_PER_HOUR", "ROOMS_PER_DAY", "UPLOAD_BYTES_PER_DAY"}
    rate |= {"REPORTS_PER_DAY", "REPORT_DAYS", "FIRST_CONTACT"}
    images = {"IMAGES_DOMAIN", "IMAGES_KEY_ID", "IMAGES_PRIVATE_KEY"}
    assert told == {
        "connect": {"CONNECTIONS_TABLE", "USERS_TABLE", "WEBSOCKET_CALLBACK_URL", "ALLOWED_ORIGINS", *identity},
        "disconnect": {"CONNECTIONS_TABLE"},
        "send": {"WEBSOCKET_CALLBACK_URL", "OWN_KINDS", *stores, *identity, *rate},
        "history": {"WEBSOCKET_CALLBACK_URL", "ALLOWED_ORIGINS", *stores, *identity, *rate, *images},
    }


def test_a_page_can_read_what_the_gateway_answers_itself():
    answers = properties("RestApi")["Body"]["x-amazon-apigateway-gateway-responses"]
    assert answers.keys() == {"DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED"}
    for answer in answers.values():
        assert answer["responseParameters"] == {
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            "gatewayresponse.header.Cache-Control": "'no-store'",
            "gatewayresponse.header.Strict-Transport-Security": "'max-age=63072000; includeSubDomains'",
            "gatewayresponse.header.X-Content-Type-Options": "'nosniff'",
        }


def test_a_function_has_time_to_say_that_it_has_none_and_the_gateway_is_still_there():
    run = (ROOT / "chat-lambda" / "src" / "aws" / "run.rs").read_text(encoding="utf-8")
    answers_within = int(re.search(r"ANSWER_WITHIN: Duration = Duration::from_secs\((\d+)\);", run)[1])
    for function in of_type("AWS::Lambda::Function").values():
        # Both kinds of API wait for 29 s.
        assert answers_within < function["Properties"]["Timeout"] <= 29


# ---- What each function may do


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
                "{UsersTable.Arn}": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
                "{WebSocketApi}/prod/DELETE/@connections/*": MANAGE,
            },
        ),
        ("disconnect", {"{ConnectionsTable.Arn}": {"dynamodb:DeleteItem"}}),
        (
            "send",
            {
                "{ConnectionsTable.Arn}": {"dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"},
                "{ConnectionsTable.Arn}/index/email-index": {"dynamodb:Query"},
                "{UsersTable.Arn}": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
                "{MessagesTable.Arn}": {
                    "dynamodb:GetItem",
                    "dynamodb:Query",
                    "dynamodb:PutItem",
                    "dynamodb:UpdateItem",
                },
                "{RoomsTable.Arn}": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
                "{AttachmentsBucket.Arn}": {"s3:ListBucket"},
                "{AttachmentsBucket.Arn}/*": {"s3:GetObject", "s3:DeleteObjectTagging", "s3:PutObjectTagging"},
                "{WebSocketApi}/prod/POST/@connections/*": MANAGE,
                "{WebSocketApi}/prod/DELETE/@connections/*": MANAGE,
            },
        ),
        (
            "history",
            {
                "{ConnectionsTable.Arn}": {"dynamodb:DeleteItem"},
                "{ConnectionsTable.Arn}/index/email-index": {"dynamodb:Query"},
                "{UsersTable.Arn}": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
                "{MessagesTable.Arn}": {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"},
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
    for name in ("connections", "messages", "rooms", "users"):
        table = properties(f"{name.capitalize()}Table")
        lines.append(f"{name}: {keys(table['KeySchema'])}")
        for index in sorted(table.get("GlobalSecondaryIndexes", []), key=lambda index: index["IndexName"]):
            projected = index["Projection"]["ProjectionType"]
            lines.append(f"  {index['IndexName']}: {keys(index['KeySchema'])} ({projected})")
    # This snapshot is DynamoDB's description of the tables that the adapter creates.
    folder = ROOT / "chat-adapters-aws" / "tests" / "snapshots"
    (snapshot,) = folder.glob("create_tables__the_tables_have_the_keys_and_indexes_of_the_design.snap")
    created = snapshot.read_text(encoding="utf-8").split("---\n", 2)[2]
    assert lines == created.rstrip().splitlines()


def test_the_tables_have_the_names_of_the_seed_and_users_one_more():
    names = {text(table["Properties"]["TableName"]) for table in of_type("AWS::DynamoDB::Table").values()}
    assert names == {"{Prefix}-connections", "{Prefix}-messages", "{Prefix}-rooms", "{Prefix}-users"}


def test_every_key_of_a_table_is_text():
    for name, table in of_type("AWS::DynamoDB::Table").items():
        assert {key["AttributeType"] for key in table["Properties"]["AttributeDefinitions"]} == {"S"}, name


def test_tables_are_on_demand_and_can_be_restored():
    for name, table in of_type("AWS::DynamoDB::Table").items():
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST", name
        assert table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], name


def test_connections_claims_of_images_and_reports_expire():
    for name in ("ConnectionsTable", "RoomsTable", "MessagesTable"):
        assert properties(name)["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}


@pytest.mark.parametrize("name", ["MessagesTable", "RoomsTable", "UsersTable", "AttachmentsBucket", "UserPool"])
def test_what_people_have_written_outlives_the_stack(name):
    assert RESOURCES[name]["DeletionPolicy"] == RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_is_private_and_forgets_uploads_that_nobody_named():
    bucket = properties("AttachmentsBucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    denied, _through_cloudfront = properties("AttachmentsBucketPolicy")["PolicyDocument"]["Statement"]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    pending, parts, _versions = bucket["LifecycleConfiguration"]["Rules"]
    (tag,) = pending["TagFilters"]
    assert (pending["Status"], pending["ExpirationInDays"]) == ("Enabled", 1)
    # The rule applies to objects with the tag, which every upload URL signs.
    signed = (ROOT / "chat-adapters-aws/tests/snapshots/attachments__upload.snap").read_text(encoding="utf-8")
    assert f'("x-amz-tagging", "{tag["Key"]}={tag["Value"]}")' in signed
    assert "x-amz-tagging" in re.search(r"X-Amz-SignedHeaders=(\S+)", signed)[1]
    # The rule no longer applies to an image that a message names, since the function that sends may remove the tag.
    assert "s3:DeleteObjectTagging" in granted("SendRole")["{AttachmentsBucket.Arn}/*"]
    assert "s3:PutObjectTagging" in granted("HistoryRole")["{AttachmentsBucket.Arn}/*"]
    # It applies again once the message is deleted.
    assert "s3:PutObjectTagging" in granted("SendRole")["{AttachmentsBucket.Arn}/*"]
    # Until then the URLs that the other function signs do not show it, whoever has them.
    reads = [
        statement
        for policy in properties("HistoryRole")["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "s3:GetObject" in statement["Action"]
    ]
    hidden = {"StringNotEquals": {f"s3:ExistingObjectTag/{tag['Key']}": tag["Value"]}}
    assert [statement["Condition"] for statement in reads] == [hidden]
    assert parts["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    (cors,) = bucket["CorsConfiguration"]["CorsRules"]
    assert cors["AllowedOrigins"] == {"Ref": "AllowedOrigins"}
    assert set(cors["AllowedMethods"]) == {"GET", "PUT"}
    # A browser sends no header that the bucket does not allow.
    headers = set(re.findall(r'\("([\w-]+)", "', signed))
    assert headers == set(cors["AllowedHeaders"])


def test_images_leave_cloudfront_by_signed_urls_only_and_as_files():
    _denied, when_served = properties("AttachmentsBucketPolicy")["PolicyDocument"]["Statement"]
    condition, allowed, otherwise = when_served["Fn::If"]
    assert (condition, otherwise) == ("ServeImages", {"Ref": "AWS::NoValue"})
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "cloudfront.amazonaws.com"}, "s3:GetObject")
    assert "ImagesDistribution" in json.dumps(allowed["Condition"]["StringEquals"]["aws:SourceArn"])
    distribution = properties("ImagesDistribution")["DistributionConfig"]
    behavior = distribution["DefaultCacheBehavior"]
    assert "CacheBehaviors" not in distribution
    assert behavior["TrustedKeyGroups"] == [{"Ref": "ImagesKeyGroup"}]
    firewall = {"Fn::If": ["HasImagesFirewall", {"Ref": "ImagesFirewallArn"}, {"Ref": "AWS::NoValue"}]}
    assert distribution["WebACLId"] == firewall
    assert properties("ImagesKeyGroup")["KeyGroupConfig"]["Items"] == [{"Ref": "ImagesKey"}]
    headers = properties("ImagesHeaders")["ResponseHeadersPolicyConfig"]
    assert headers["CorsConfig"]["AccessControlAllowOrigins"]["Items"] == {"Ref": "AllowedOrigins"}
    (saved,) = headers["CustomHeadersConfig"]["Items"]
    assert (saved["Header"], saved["Value"], saved["Override"]) == ("Content-Disposition", "attachment", True)
    # Nothing is kept at the edge for longer than its URL is good.
    lifetime = re.search(
        r"DOWNLOAD_URL_LIFETIME: Duration = Duration::from_secs\((.+)\)",
        (ROOT / "chat-domain/src/model/attachment.rs").read_text(encoding="utf-8"),
    )[1]
    cache = properties("ImagesCache")["CachePolicyConfig"]
    assert cache["MaxTTL"] == cache["DefaultTTL"] == math.prod(int(factor) for factor in lifetime.split("*"))


# ---- Who may sign in


def test_nobody_can_take_an_address_that_is_not_theirs():
    pool, client = properties("UserPool"), properties("UserPoolClient")
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}
    assert pool["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    assert "email" not in client["WriteAttributes"] and client["WriteAttributes"]
    assert client["GenerateSecret"] is False
    assert client["AllowedOAuthFlows"] == ["code"]
    # Without this scope Cognito refuses GetUser, and so nobody can connect.
    assert "aws.cognito.signin.user.admin" in client["AllowedOAuthScopes"]


def test_the_page_is_told_where_everything_is():
    config = json.loads(re.sub(r"\$\{([\w:]+)\}", r"{\1}", source()["Outputs"]["WebConfig"]["Value"]["Fn::Sub"]))
    assert config["wsUrl"] == source()["Outputs"]["WebSocketUrl"]["Value"]["Fn::Sub"].replace("${", "{")
    assert config["restUrl"] == source()["Outputs"]["RestUrl"]["Value"]["Fn::Sub"].replace("${", "{")
    assert config["auth"]["mode"] == "oidc"
    assert config["auth"]["scope"].split() == properties("UserPoolClient")["AllowedOAuthScopes"]
    frame = document("asyncapi.yaml")["components"]["schemas"]["SendMessageFrame"]
    assert config["limits"] == {"messageBytes": frame["properties"]["message"]["maxLength"]}


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
    "requestId", "requestTime", "eventType", "routeKey", "status", "connectionId", "httpMethod", "resourcePath", "identity.sourceIp",
    "integration.status", "integration.latency", "responseLatency", "responseLength", "error.message",
}  # fmt: skip


@pytest.mark.parametrize(
    "settings",
    [
        properties("WebSocketApiprodStage")["AccessLogSettings"]["Fn::If"][1],
        properties("RestApiprodStage")["AccessLogSetting"],
    ],
    ids=["websocket", "rest"],
)
def test_access_logs_hold_where_from_but_no_query_string_and_nobody(settings):
    used = set(re.findall(r"\$context\.([\w.]+)", settings["Format"]))
    assert used <= SAFE
    assert "identity.sourceIp" in used
    assert "\n" not in settings["Format"]
    # The text is JSON once every placeholder is filled.
    assert json.loads(re.sub(r"\$context\.[\w.]+", "x", settings["Format"])).keys() >= {"requestId", "status"}


def test_frames_are_logged_by_the_gateway_only_if_somebody_asks():
    assert source()["Parameters"]["FrameLog"]["Default"] == "off"
    condition, _, otherwise = properties("WebSocketApiprodStage")["AccessLogSettings"]["Fn::If"]
    assert (condition, otherwise) == ("LogFrames", {"Ref": "AWS::NoValue"})
    assert of_type("AWS::Logs::LogGroup")["WebSocketAccessLog"]["Condition"] == condition


def test_lambda_adds_no_lines_of_its_own_to_what_functions_log():
    assert source()["Parameters"]["PlatformLogLevel"]["Default"] == "WARN"
    for name in FUNCTIONS:
        logging = properties(f"{name.capitalize()}Function")["LoggingConfig"]
        assert logging == {
            "LogGroup": {"Ref": f"{name.capitalize()}Log"},
            "LogFormat": "JSON",
            "SystemLogLevel": {"Ref": "PlatformLogLevel"},
            "ApplicationLogLevel": {"Ref": "LogLevel"},
        }


def test_a_stage_that_logs_comes_after_the_role_that_logs():
    # The stage refers to the role, because DependsOn cannot name a resource that may be absent.
    reference = {"Fn::If": ["CreateApiGatewayLogRole", {"Ref": "ApiGatewayAccount"}, "kept"]}
    assert reference in properties("WebSocketApi")["Tags"].values()
    assert properties("WebSocketApiprodStage")["ApiId"] == {"Ref": "WebSocketApi"}
    assert reference in [tag["Value"] for tag in properties("RestApiprodStage")["Tags"]]


def test_requests_are_not_traced_into_logs():
    for settings in properties("RestApiprodStage")["MethodSettings"]:
        assert settings["DataTraceEnabled"] is False
        assert settings["LoggingLevel"] == "OFF"
    assert "DataTraceEnabled" not in properties("WebSocketApiprodStage")["DefaultRouteSettings"]


def test_both_apis_are_throttled():
    rest, *preflights = properties("RestApiprodStage")["MethodSettings"]
    for settings in (rest, properties("WebSocketApiprodStage")["DefaultRouteSettings"]):
        assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
        assert settings["ThrottlingBurstLimit"] == {"Ref": "RequestBurst"}
    # Anybody may connect and send preflights, so each has a limit of its own.
    connects = properties("WebSocketApiprodStage")["RouteSettings"]["$connect"]
    assert connects["ThrottlingRateLimit"] == {"Ref": "ConnectsPerSecond"}
    limited = {(settings["ResourcePath"], settings["HttpMethod"]) for settings in preflights}
    wanted = {("/" + path.replace("/", "~1"), "OPTIONS") for path in properties("RestApi")["Body"]["paths"]}
    assert_template_has("MethodSettings of the preflight", limited, wanted)
    for settings in preflights:
        assert settings["ThrottlingRateLimit"] == {"Ref": "PreflightsPerSecond"}


def test_logs_are_kept_for_a_while_only():
    logs = of_type("AWS::Logs::LogGroup")
    assert len(logs) == 6
    for name, log in logs.items():
        # A log with network addresses is kept for a short time.
        has_addresses = name.endswith("AccessLog") or name == "ConnectLog"
        days = "AccessLogRetentionDays" if has_addresses else "LogRetentionDays"
        assert log["Properties"]["RetentionInDays"] == {"Ref": days}, name
    assert source()["Parameters"]["AccessLogRetentionDays"]["Default"] <= 7


def metrics_that_ring() -> list[dict]:
    """What the alarms look at that are always there."""
    alarms = [alarm for alarm in of_type("AWS::CloudWatch::Alarm").values() if "Condition" not in alarm]
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


def test_abuse_and_spending_ring():
    assert {(metric["Namespace"], metric["MetricName"]) for metric in metrics_that_ring()} >= {
        ("Chat", "Refusals"),
        ("AWS/ApiGateway", "4XXError"),
        ("AWS/ApiGateway", "ClientError"),
        ("AWS/ApiGateway", "ConnectCount"),
        ("AWS/ApiGateway", "MessageCount"),
        ("AWS/ApiGateway", "Count"),
    }
    for notification in properties("Budget")["NotificationsWithSubscribers"]:
        told = [subscriber["Fn::If"][1]["SubscriptionType"] for subscriber in notification["Subscribers"]]
        assert told == ["EMAIL", "SNS"]


def test_images_that_are_opened_again_and_again_ring_if_somebody_asks():
    alarm = source()["Resources"]["ImagesAlarm"]
    assert alarm["Condition"] == "CountImages"
    assert alarm["Properties"]["Threshold"] == {"Ref": "AlarmImageMegabytes"}
    result, counted = alarm["Properties"]["Metrics"]
    assert result["Expression"] == f"{counted['Id']} / 1000000"
    metric = counted["MetricStat"]["Metric"]
    assert (metric["Namespace"], metric["MetricName"]) == ("AWS/S3", "BytesDownloaded")
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
    # S3 counts nothing by itself.
    condition, counting, otherwise = properties("AttachmentsBucket")["MetricsConfigurations"]["Fn::If"]
    assert (condition, otherwise) == ("CountImages", {"Ref": "AWS::NoValue"})
    assert [{"Id": dimensions["FilterId"]}] == counting
    assert dimensions["BucketName"] == {"Ref": "AttachmentsBucket"}


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


# ---- How new functions take over


def test_every_function_is_called_by_an_alias_that_goes_back_when_an_alarm_rings():
    aliases = of_type("AWS::Lambda::Alias")
    assert {text(alias["Properties"]["FunctionName"]) for alias in aliases.values()} == {
        f"{{{name.capitalize()}Function}}" for name in FUNCTIONS
    }
    for alias in aliases.values():
        group = properties(alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"])
        condition, alarms, none = group["AlarmConfiguration"]["Fn::If"]
        assert (condition, none, alarms["Enabled"]) == ("RollsBack", {}, True)
        assert [alarm["Name"]["Ref"] for alarm in alarms["Alarms"]] == ["FunctionErrorsAlarm", "FailuresAlarm"]
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]


def test_a_changed_setting_makes_a_new_version():
    for name in FUNCTIONS:
        resource = source()["Resources"][f"{name.capitalize()}Function"]["Properties"]
        assert resource["AutoPublishAliasAllProperties"] is True, name


# ---- Parameters


FREE = {
    "ThreatProtection": "OFF",
    "RestFirewall": "off",
    "KmsKeyArn": "",
    "ReplicaBucketArn": "",
    "ImageVersionDays": 0,
    "MonthlyBudget": 0,
    "AlarmImageMegabytes": 0,
    "ImagesFirewallArn": "",
    "ImagesPrivateKey": "",
    **{f"{name.capitalize()}Concurrency": -1 for name in FUNCTIONS},
}


def test_what_costs_by_itself_is_off_by_default():
    parameters = source()["Parameters"]
    assert {name: parameters[name]["Default"] for name in FREE} == FREE


def test_signing_in_is_safe_by_default():
    defaults = {name: parameter.get("Default") for name, parameter in source()["Parameters"].items()}
    assert defaults["SelfSignUp"] == "closed"
    assert defaults["RefreshTokenRotation"] == "ENABLED"
    assert defaults["Mfa"] != "OFF"
    assert defaults["PasswordSignIn"] == "false"
    pool, client = properties("UserPool"), properties("UserPoolClient")
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": {"Fn::If": ["OpenSignUp", False, True]}}
    assert pool["MfaConfiguration"] == {"Ref": "Mfa"}
    rotated = {"Fn::If": ["RotateRefreshTokens", {"Ref": "AWS::NoValue"}, "ALLOW_REFRESH_TOKEN_AUTH"]}
    assert rotated in client["ExplicitAuthFlows"] and "ALLOW_REFRESH_TOKEN_AUTH" not in client["ExplicitAuthFlows"]
    assert client["RefreshTokenRotation"]["Fn::If"][1]["Feature"] == "ENABLED"
    assert client["RefreshTokenValidity"] == {"Ref": "RefreshTokenDays"}
    sender = {"EmailSendingAccount": "DEVELOPER", "SourceArn": {"Ref": "MailSenderArn"}, "From": {"Ref": "MailFrom"}}
    assert pool["EmailConfiguration"] == {"Fn::If": ["HasMailSender", sender, {"Ref": "AWS::NoValue"}]}
    looks_out = {"AdvancedSecurityMode": {"Ref": "ThreatProtection"}}
    assert pool["UserPoolAddOns"] == {"Fn::If": ["HasThreatProtection", looks_out, {"Ref": "AWS::NoValue"}]}
    assert pool["UserPoolTier"] == {"Fn::If": ["HasThreatProtection", "PLUS", "ESSENTIALS"]}, "Essentials cannot"


def test_every_parameter_is_in_a_group_and_documented():
    interface = source()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in interface for name in group["Parameters"]]
    assert sorted(grouped) == sorted(source()["Parameters"])
    operations = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`(\w+)`", operations))
    assert set(grouped) - documented - {"Prefix", "SendBurst", "SendPerSecond"} == set()


def test_ones_own_key_encrypts_whatever_is_kept():
    for name in of_type("AWS::DynamoDB::Table"):
        assert properties(name)["SSESpecification"]["Fn::If"][1]["KMSMasterKeyId"] == {"Ref": "KmsKeyArn"}, name
    for name in of_type("AWS::Logs::LogGroup"):
        assert properties(name)["KmsKeyId"]["Fn::If"][1] == {"Ref": "KmsKeyArn"}, name
    bucket = properties("AttachmentsBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert bucket["ServerSideEncryptionByDefault"]["Fn::If"][1]["KMSMasterKeyID"] == {"Ref": "KmsKeyArn"}
    policy = properties("KeyPolicy")
    for name in FUNCTIONS:
        assert {"Ref": f"{name.capitalize()}Role"} in policy["Roles"]
    # What copies images decrypts them here, and encrypts them there.
    assert {"Fn::If": ["HasReplica", {"Ref": "ReplicationRole"}, {"Ref": "AWS::NoValue"}]} in policy["Roles"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert {"Fn::If": ["HasReplicaKey", {"Ref": "ReplicaKmsKeyArn"}, {"Ref": "AWS::NoValue"}]} in statement["Resource"]


def test_images_are_kept_in_versions_and_in_another_region_if_somebody_asks():
    bucket = properties("AttachmentsBucket")
    assert bucket["VersioningConfiguration"] == {"Fn::If": ["KeepVersions", {"Status": "Enabled"}, {"Ref": "AWS::NoValue"}]}
    condition, versions, _none = bucket["LifecycleConfiguration"]["Rules"][-1]["Fn::If"]
    assert (condition, versions["Status"]) == ("KeepVersions", "Enabled")
    assert versions["NoncurrentVersionExpiration"] == {"NoncurrentDays": {"Ref": "ImageVersionDays"}}
    condition, replication, _none = bucket["ReplicationConfiguration"]["Fn::If"]
    (rule,) = replication["Rules"]
    assert (condition, rule["Status"], rule["Filter"]) == ("HasReplica", "Enabled", {"Prefix": ""})
    assert rule["DeleteMarkerReplication"] == {"Status": "Enabled"}, "what was erased here is erased there"
    assert rule["Destination"]["Bucket"] == {"Ref": "ReplicaBucketArn"}
    allowed = {action for it in properties("ReplicationPolicy")["PolicyDocument"]["Statement"] for action in it["Action"]}
    assert {"s3:GetObjectVersionForReplication", "s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"} <= allowed
    # S3 copies versions only.
    assert source()["Rules"]["CopiesNeedVersions"]["Assertions"][0]["Assert"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "ImageVersionDays"}, 0]}]
    }


def test_concurrency_is_reserved_for_each_function_if_somebody_asks():
    for name in FUNCTIONS:
        function = name.capitalize()
        condition, reserved, otherwise = properties(f"{function}Function")["ReservedConcurrentExecutions"]["Fn::If"]
        assert (reserved, otherwise) == ({"Ref": f"{function}Concurrency"}, {"Ref": "AWS::NoValue"}), name
        wanted = {"Fn::Not": [{"Fn::Equals": [{"Ref": f"{function}Concurrency"}, -1]}]}
        assert source()["Conditions"][condition] == wanted, name


def test_there_is_a_runbook_for_whatever_may_happen():
    operations = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^##+ (.+)$", operations, re.MULTILINE))
    assert {"Abuse", "Spending", "A token has leaked", "A region is lost", "An address has a new owner", "Restore", "Reports"} <= headings


def edge() -> dict:
    return yaml_parse((ROOT / "deploy/edge.yaml").read_text(encoding="utf-8"))["Resources"]


def test_the_page_of_costs_knows_how_many_rules_the_firewalls_have():
    assert len(properties("RestFirewallAcl")["Rules"]) == REST_FIREWALL_RULES
    assert len(edge()["Firewall"]["Properties"]["Rules"]) == EDGE_FIREWALL_RULES


def test_the_edge_sends_the_headers_that_the_pages_readme_names():
    headers = edge()["Headers"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = headers["SecurityHeadersConfig"]
    policy = " ".join(security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"][0].split())
    readme = (ROOT / "web/README.md").read_text(encoding="utf-8")
    documented = re.search(r"`Content-Security-Policy: ([^`]+)`", readme)[1]

    def directives(text: str) -> dict[str, set[str]]:
        """Each directive with the sources that do not depend on the deployment."""
        parts = [part.split() for part in text.split(";")]
        return {name: {it for it in sources if it.startswith("'") or it in ("data:", "blob:")} for name, *sources in parts}

    assert directives(policy) == directives(documented)
    assert "unsafe" not in policy
    transport = security["StrictTransportSecurity"]
    assert transport["AccessControlMaxAgeSec"] >= 31_536_000 and transport["IncludeSubdomains"]
    assert security["ContentTypeOptions"] == {"Override": True}
    assert security["FrameOptions"]["FrameOption"] == "DENY"
    assert f"`Referrer-Policy: {security['ReferrerPolicy']['ReferrerPolicy']}`" in readme


def test_everything_behind_the_edge_has_its_headers_and_its_firewall():
    distribution = edge()["Distribution"]["Properties"]["DistributionConfig"]
    assert distribution["WebACLId"] == {"Fn::GetAtt": ["Firewall", "Arn"]}
    behaviors = [distribution["DefaultCacheBehavior"], *distribution["CacheBehaviors"]]
    origins = {origin["Id"] for origin in distribution["Origins"]}
    assert origins == {"page", "rest", "websocket"} == {behavior["TargetOriginId"] for behavior in behaviors}
    for behavior in behaviors:
        assert behavior["ResponseHeadersPolicyId"] == {"Ref": "Headers"}
        assert behavior["ViewerProtocolPolicy"] in ("redirect-to-https", "https-only")
    (rest,) = [origin for origin in distribution["Origins"] if origin["Id"] == "rest"]
    assert rest["OriginCustomHeaders"] == [{"HeaderName": "x-edge-key", "HeaderValue": {"Ref": "EdgeKey"}}]


def test_the_edge_logs_addresses_for_a_short_time_and_nothing_of_what_was_asked():
    fields = set(edge()["AccessLogDelivery"]["Properties"]["RecordFields"])
    assert "c-ip" in fields
    assert not {field for field in fields if any(part in field for part in ("uri", "Referer", "Cookie"))}
    assert edge()["AccessLog"]["Properties"]["RetentionInDays"] == {"Ref": "AccessLogRetentionDays"}


def test_the_firewall_counts_addresses_or_lets_in_cloudfront_only():
    rules = properties("RestFirewallAcl")["Rules"]
    condition, behind, direct = rules[0]["Fn::If"]
    assert condition == "BehindEdge"
    assert behind["Statement"]["NotStatement"]["Statement"]["ByteMatchStatement"]["SearchString"] == {"Ref": "EdgeKey"}
    assert behind["Action"] == direct["Action"] == {"Block": {}}
    assert direct["Statement"]["RateBasedStatement"]["Limit"] == {"Ref": "RequestsPerAddress"}
    assert "/restapis/{RestApi}/stages/{RestApiprodStage}" in text(properties("RestFirewallAssociation")["ResourceArn"])
    (rate,) = [rule for rule in edge()["Firewall"]["Properties"]["Rules"] if "RateBasedStatement" in rule["Statement"]]
    assert rate["Action"] == {"Block": {}}
    counted = rate["Statement"]["RateBasedStatement"]
    assert (counted["AggregateKeyType"], counted["Limit"]) == ("IP", {"Ref": "RequestsPerAddress"})
