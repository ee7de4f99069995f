//! The generated documents: that they are up to date, and that they are what they say they are.

use std::path::Path;

use chat_lambda::functions::REST_ROUTES;
use chat_lambda::schema::documents;
use serde_json::Value;

fn document(path: &str) -> Value {
    let document = documents().into_iter().find(|document| document.path == path).unwrap();
    yaml_serde::from_str(&document.text).unwrap()
}

#[rstest::rstest]
#[case::openapi("docs/openapi.yaml")]
#[case::asyncapi("docs/asyncapi.yaml")]
#[case::typescript("web/lib/chat/wire.ts")]
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
        REST_ROUTES.iter().map(|(method, path)| (method.to_string(), (*path).to_owned())).collect();
    described.sort();
    routes.sort();
    assert_eq!(described, routes);
}

/// What makes a document one of its kind, beyond its schemas: the keys that its specification requires.
#[rstest::rstest]
#[case::openapi("docs/openapi.yaml", &["/openapi", "/info/title", "/info/version", "/paths", "/components/schemas"])]
#[case::asyncapi(
    "docs/asyncapi.yaml",
    &["/asyncapi", "/info/title", "/info/version", "/servers/deployed/host", "/servers/deployed/protocol",
      "/channels/chat/messages", "/operations/sendMessage/action", "/components/messages/client.sendMessage/payload"]
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
