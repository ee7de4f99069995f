//! The generated documents: that they are up to date, and that they are what they say they are.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use chat_wire::schema::documents;
use chat_wire::table::ROUTES;
use serde_json::Value;

fn document(path: &str) -> Value {
    let document = documents().into_iter().find(|document| document.path == path).unwrap();
    yaml_serde::from_str(&document.text).unwrap()
}

#[rstest::rstest]
#[case::openapi("docs/openapi.yaml")]
#[case::asyncapi("docs/asyncapi.yaml")]
#[case::typescript("web/packages/chat-core/src/wire.ts")]
#[case::limits("web/packages/chat-core/src/limits.ts")]
#[case::routes("web/packages/chat-core/src/routes.ts")]
fn the_committed_file_is_what_the_types_say(#[case] path: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let committed = std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let generated = documents().into_iter().find(|document| document.path == path).unwrap().text;
    assert!(committed == generated, "{path} is out of date: run `make generate`");
}

#[rstest::rstest]
#[case::openapi("docs/openapi.yaml")]
#[case::asyncapi("docs/asyncapi.yaml")]
fn every_reference_leads_somewhere(#[case] path: &str) {
    fn check(value: &Value, whole: &Value, found: &mut usize) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    let pointer = reference.strip_prefix('#').expect("all references are local");
                    assert!(whole.pointer(pointer).is_some(), "{reference} leads nowhere");
                    *found += 1;
                }
                fields.values().for_each(|value| check(value, whole, found));
            }
            Value::Array(values) => values.iter().for_each(|value| check(value, whole, found)),
            _ => {}
        }
    }
    let (whole, mut found) = (document(path), 0);
    check(&whole, &whole, &mut found);
    assert!(found > 20, "only {found} references: are they written otherwise by now?");
}

#[test]
fn every_route_is_described_and_no_other() {
    let openapi = document("docs/openapi.yaml");
    let mut described: Vec<_> = openapi["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let mut routes: Vec<_> =
        ROUTES.iter().map(|route| (route.method.to_string(), route.resource.to_owned())).collect();
    described.sort();
    routes.sort();
    assert_eq!(described, routes);
}

/// What makes a document one of its kind, beyond its schemas: the keys that its specification requires.
#[rstest::rstest]
#[case::openapi(
    "docs/openapi.yaml",
    &["/openapi", "/info/title", "/info/version", "/paths", "/components/schemas"]
)]
#[case::asyncapi(
    "docs/asyncapi.yaml",
    &["/asyncapi", "/info/title", "/info/version", "/servers/deployed/host", "/servers/deployed/protocol",
      "/channels/chat/messages", "/operations/sendMessage/action",
      "/components/messages/client.sendMessage/payload"]
)]
fn what_its_specification_requires_is_there(#[case] path: &str, #[case] pointers: &[&str]) {
    let document = document(path);
    for pointer in pointers {
        assert!(document.pointer(pointer).is_some(), "{path} lacks {pointer}");
    }
}

#[test]
fn every_frame_is_said_or_told_by_an_operation() {
    let asyncapi = document("docs/asyncapi.yaml");
    let operations = asyncapi["operations"].to_string();
    for message in asyncapi["components"]["messages"].as_object().unwrap().keys() {
        assert!(operations.contains(&format!("/messages/{message}\"")), "nobody sends {message}");
    }
}

/// One of a document's schemas, and the document that its references lead into.
struct Schema {
    whole: Value,
    name: &'static str,
}

impl Schema {
    fn of(path: &str, name: &'static str) -> Self {
        let whole = document(path);
        assert!(whole["components"]["schemas"][name].is_object(), "{path} has no schema {name}");
        Self { whole, name }
    }

    fn faults(&self, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(value, &self.whole["components"]["schemas"][self.name], self.name, &mut faults);
        faults
    }

    fn holds(&self, value: &Value, schema: &Value) -> bool {
        let mut faults = Vec::new();
        self.check(value, schema, "", &mut faults);
        faults.is_empty()
    }

    /// Checks a value by those words of JSON Schema that the generated schemas use. Any other word panics, so
    /// that none is overlooked.
    fn check(&self, value: &Value, schema: &Value, at: &str, faults: &mut Vec<String>) {
        for (word, rule) in schema.as_object().unwrap() {
            let valid = match word.as_str() {
                "description" | "examples" | "format" => true,
                "$ref" => {
                    let target = self.whole.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap();
                    self.check(value, target, at, faults);
                    true
                }
                "properties" => {
                    for (name, schema) in rule.as_object().unwrap() {
                        if let Some(value) = value.get(name) {
                            self.check(value, schema, &format!("{at}/{name}"), faults);
                        }
                    }
                    true
                }
                // Every name that the others do not list: addresses, here.
                "additionalProperties" => {
                    for (name, value) in value.as_object().into_iter().flatten() {
                        self.check(value, rule, &format!("{at}/{name}"), faults);
                    }
                    true
                }
                "items" => {
                    for (place, value) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(value, rule, &format!("{at}/{place}"), faults);
                    }
                    true
                }
                "type" => match rule {
                    Value::Array(types) => types.iter().any(|one| is_of_type(value, one)),
                    one => is_of_type(value, one),
                },
                "required" => {
                    rule.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some())
                }
                "oneOf" => rule.as_array().unwrap().iter().filter(|one| self.holds(value, one)).count() == 1,
                "anyOf" => rule.as_array().unwrap().iter().any(|one| self.holds(value, one)),
                "const" => value == rule,
                "enum" => rule.as_array().unwrap().contains(value),
                "pattern" => {
                    let pattern = regex::Regex::new(rule.as_str().unwrap()).unwrap();
                    value.as_str().is_none_or(|text| pattern.is_match(text))
                }
                "minLength" | "minimum" => size_of(value) >= rule.as_u64().unwrap(),
                "maxLength" | "maxItems" | "maximum" => size_of(value) <= rule.as_u64().unwrap(),
                other => panic!("the schemas have learnt the word {other}: teach it here too"),
            };
            if !valid {
                faults.push(format!("{at}: {word} {rule}, but it is {value}"));
            }
        }
    }
}

/// What the bounds are about: the number, or how many characters or items there are.
fn size_of(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.chars().count() as u64,
        Value::Array(items) => items.len() as u64,
        other => other.as_u64().unwrap_or_default(),
    }
}

fn is_of_type(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("unknown type {other}"),
    }
}

/// The bodies as they really went out, by the snapshots of `tests/chat/shapes.rs`.
fn snapshots() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chat/snapshots");
    let snapshots = std::fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().rsplit("__").next().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let body = text.splitn(3, "---\n").nth(2).unwrap();
        (name, serde_json::from_str(body).unwrap())
    });
    snapshots.collect()
}

const REST_SCHEMAS: [(&str, &str); 8] = [
    ("rest_history", "HistoryBody"),
    ("rest_conversations", "ConversationsBody"),
    ("rest_uploads", "UploadBody"),
    ("rest_attachments", "AttachmentUrlBody"),
    ("rest_proposals", "SentFrame"),
    ("rest_error", "ErrorBody"),
    ("rest_blocked", "BlockedBody"),
    ("rest_search", "SearchBody"),
];

fn schema_of(snapshot: &str) -> Option<Schema> {
    if snapshot.starts_with("frame_") {
        return Some(Schema::of("docs/asyncapi.yaml", "ServerFrame"));
    }
    let (_, schema) = REST_SCHEMAS.iter().find(|(prefix, _)| snapshot.starts_with(prefix))?;
    Some(Schema::of("docs/openapi.yaml", schema))
}

#[test]
fn everything_that_goes_out_is_as_described() {
    let snapshots = snapshots();
    assert!(snapshots.len() > 22, "only {} snapshots: are they elsewhere by now?", snapshots.len());
    // A list of codes is no body.
    for (name, body) in snapshots.iter().filter(|(name, _)| name != "error_codes") {
        let schema = schema_of(name).unwrap_or_else(|| panic!("nothing describes {name}"));
        assert_eq!(schema.faults(body), [] as [String; 0], "{name}");
    }
}

/// A schema that allows everything would validate everything.
#[rstest::rstest]
#[case::another_frame("frame_sent", "/type", Some("shout"))]
#[case::no_code("frame_error", "/code", None)]
#[case::unknown_code("frame_error", "/code", Some("oops"))]
#[case::timestamp_without_milliseconds("frame_sent", "/timestamp", Some("2026-11-23T09:00:00Z"))]
#[case::no_name_of_a_kind("frame_message_text", "/kind", Some("a video"))]
#[case::no_room("rest_history", "/roomId", None)]
#[case::no_address("rest_conversations", "/conversations/0/peerEmail", Some("junho"))]
#[case::text_as_number("frame_sent", "/seq", Some("1"))]
#[case::no_list_of_emoji("frame_changed_reactions", "/message/reactions/junho@example.com", Some("👍"))]
#[case::unknown_image("frame_message_image", "/attachment/contentType", Some("image/svg+xml"))]
#[case::not_null("rest_history", "/myReadUpTo", Some("never"))]
fn what_is_not_as_described_is_noticed(#[case] name: &str, #[case] field: &str, #[case] value: Option<&str>) {
    let (_, mut body) = snapshots().into_iter().find(|(found, _)| found == name).unwrap();
    let (parent, last) = field.rsplit_once('/').unwrap();
    let fields = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => fields.insert(last.to_owned(), value.into()),
        None => fields.remove(last),
    };
    assert_ne!(schema_of(name).unwrap().faults(&body), [] as [String; 0]);
}

/// Every name that goes out is one that the TypeScript types know.
#[test]
fn every_field_that_goes_out_has_a_type() {
    fn names(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                // Reactions are by the address of who has left them.
                if !name.contains('@') {
                    found.push(name.clone());
                }
                // The body of a kind that is not known may be any JSON.
                if name != "body" {
                    names(value, found);
                }
            }),
            Value::Array(values) => values.iter().for_each(|value| names(value, found)),
            _ => {}
        }
    }
    let types = documents().into_iter().find(|document| document.path.ends_with(".ts")).unwrap().text;
    for (snapshot, body) in snapshots().iter().filter(|(name, _)| name != "error_codes") {
        let mut found = Vec::new();
        names(body, &mut found);
        for name in found {
            let declared =
                [": ", "?: ", "\": "].iter().any(|colon| types.contains(&format!("{name}{colon}")));
            assert!(declared, "{name} of {snapshot} is in no type");
        }
    }
}
