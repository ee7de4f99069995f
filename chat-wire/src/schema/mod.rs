//! The documents that are generated from the wire types (feature `schema`). The committed files are compared
//! with these by tests; `make generate` writes them anew.

mod asyncapi;
pub(crate) mod formats;
mod limits;
mod openapi;
mod typescript;

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde::Serialize;
use serde_json::Value;
use yaml_serde::{Mapping, Value as Yaml};

/// A generated file: where it stands in the repository, and what it is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The path from the root of the repository.
    pub path: &'static str,
    /// The whole text of the file.
    pub text: String,
}

/// All files that are generated. `make generate` writes them, and a test compares them with those that are
/// committed.
#[must_use]
pub fn documents() -> [Document; 5] {
    [
        Document { path: "docs/openapi.yaml", text: openapi::document() },
        Document { path: "docs/asyncapi.yaml", text: asyncapi::document() },
        Document { path: "web/packages/chat-core/src/wire.ts", text: typescript::document() },
        Document { path: "web/packages/chat-core/src/limits.ts", text: limits::document() },
        Document { path: "web/packages/chat-core/src/routes.ts", text: limits::routes() },
    ]
}

/// The first lines of a generated YAML file.
const YAML_HEADER: &str = "\
# Generated from the Rust types of chat-wire. Do not edit: change them, then run `make generate`.
";

/// A document as a generated YAML file: its own keys in their order, everything below sorted. What order a
/// JSON object keeps depends on features that any other crate of the same build may turn on.
fn yaml(document: &impl Serialize) -> String {
    const ALWAYS: &str = "strings, numbers and booleans always serialise";
    let Yaml::Mapping(document) = yaml_serde::to_value(document).expect(ALWAYS) else {
        unreachable!("a document is an object")
    };
    let document: Mapping = document.into_iter().map(|(key, value)| (key, sorted(value))).collect();
    let text = yaml_serde::to_string(&document).expect(ALWAYS);
    format!("{YAML_HEADER}{text}")
}

fn sorted(value: Yaml) -> Yaml {
    match value {
        Yaml::Mapping(mapping) => {
            let mut entries: Vec<_> = mapping.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|(one, _), (other, _)| one.as_str().cmp(&other.as_str()));
            Yaml::Mapping(entries.into_iter().collect())
        }
        Yaml::Sequence(values) => Yaml::Sequence(values.into_iter().map(sorted).collect()),
        scalar => scalar,
    }
}

/// Collects JSON Schemas (2020-12, which OpenAPI 3.1 and AsyncAPI 3.0 both take) under
/// `#/components/schemas`.
struct Schemas(SchemaGenerator);

impl Schemas {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
        });
        Self(settings.into_generator())
    }

    /// A reference to the schema of `T`, which is collected.
    fn reference<T: JsonSchema>(&mut self) -> Value {
        self.0.subschema_for::<T>().to_value()
    }

    /// Everything that was collected.
    fn components(mut self) -> Value {
        self.0.take_definitions(false).into()
    }
}
