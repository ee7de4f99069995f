//! The formats of the wire's texts, as JSON Schema says them. The types stand for `String`s of the wire
//! types: what a format allows, the domain's own types decide.

use std::borrow::Cow;

use chat_domain::{EMAIL_MAX_BYTES, EMOJI_MAX_BYTES, KIND_LABEL_MAX_BYTES};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

macro_rules! text_format {
    ($name:ident, $schema:tt) => {
        pub(crate) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

text_format!(EmailAddress, {
    "description": "An e-mail address: ASCII, exactly one `@`, a dotted domain, no `#` after the `@`, no \
        quotes, spaces or control characters. The server trims it and writes it in lower case.",
    "type": "string",
    "maxLength": EMAIL_MAX_BYTES,
    "pattern": "^[^@\"]+@[^@\"#]+$",
    "examples": ["junho@example.com"],
});

text_format!(RoomId, {
    "description": "The two members' addresses, sorted and joined with `#`.",
    "type": "string",
    "maxLength": 2 * EMAIL_MAX_BYTES + 1,
    "pattern": "^[^@]+@[^@#]+#[^@]+@[^@#]+$",
    "examples": ["junho@example.com#minji@example.com"],
});

text_format!(Timestamp, {
    "description": "UTC to the millisecond, exactly as JavaScript's `toISOString()` writes it, so that the \
        order of the text is the order of time: `2026-11-23T09:00:00.000Z`.",
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
});

text_format!(ClientMessageId, {
    "description": "A UUID in its hyphenated form; read in either case, written in lower case.",
    "type": "string",
    "format": "uuid",
    "pattern": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
    "examples": ["018f2d4e-7b1a-7c3d-9e5f-001122334455"],
});

text_format!(KindLabel, {
    "description": "The name of a kind of message that this version does not know.",
    "type": "string",
    "maxLength": KIND_LABEL_MAX_BYTES,
    "pattern": "^[A-Za-z][A-Za-z0-9_-]*$",
});

text_format!(OwnKind, {
    "description": "The name of an application's own kind of message.",
    "type": "string",
    "maxLength": KIND_LABEL_MAX_BYTES,
    "pattern": "^x-[A-Za-z0-9_-]+$",
});

text_format!(AttachmentKey, {
    "description": "The name of an uploaded image, made by the server for one room and one uploader.",
    "type": "string",
    "pattern": r"^[0-9a-f]{32}-[0-9a-f]{32}-[ab]-[0-9a-f]{32}(-[1-9][0-9]{0,7})?\.(jpg|png|webp|gif)$",
});

text_format!(Emoji, {
    "description": "One emoji, as the Unicode standard lists them.",
    "type": "string",
    "maxLength": EMOJI_MAX_BYTES,
    "examples": ["\u{1F44D}"],
});

/// The types of images that may be sent.
#[derive(JsonSchema, ts_rs::TS)]
#[expect(dead_code, reason = "it describes; the domain's ImageType decides")]
pub(crate) enum ContentType {
    #[serde(rename = "image/jpeg")]
    Jpeg,
    #[serde(rename = "image/png")]
    Png,
    #[serde(rename = "image/webp")]
    Webp,
    #[serde(rename = "image/gif")]
    Gif,
}

/// What can be answered to a proposal.
#[derive(JsonSchema, ts_rs::TS)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "it describes; the domain's Verdict decides")]
pub(crate) enum Verdict {
    /// The receiver plays, and says so before the match begins.
    Accepted,
    /// The receiver does not play.
    Declined,
    /// The proposer takes the proposal back.
    Withdrawn,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that a schema of fixed values lists.
    fn values<T: JsonSchema>() -> Vec<String> {
        let schema = serde_json::to_value(SchemaGenerator::default().root_schema_for::<T>()).unwrap();
        let listed = schema["enum"].as_array().cloned();
        let one_of =
            schema["oneOf"].as_array().map(|all| all.iter().map(|one| one["const"].clone()).collect());
        let values: Vec<_> = listed.or(one_of).unwrap();
        values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    }

    /// Prose is no place to compute in, so this number stands in it.
    #[test]
    fn an_upload_is_to_be_shown_within_the_hours_that_its_description_says() {
        let schema = SchemaGenerator::default().root_schema_for::<crate::rest::UploadBody>();
        let description = schema.get("description").and_then(serde_json::Value::as_str).unwrap();
        let hours = chat_domain::UPLOAD_SHOWN_WITHIN.as_secs() / 3_600;
        assert!(description.contains(&format!("within {hours} hours")), "{description}");
    }

    #[test]
    fn the_domain_takes_every_value_that_is_listed() {
        let types = values::<ContentType>();
        assert_eq!(types.len(), 4);
        assert!(types.iter().all(|text| text.parse::<chat_domain::ImageType>().is_ok()), "{types:?}");
        let verdicts = values::<Verdict>();
        assert_eq!(verdicts.len(), 3);
        assert!(verdicts.iter().all(|text| text.parse::<chat_domain::Verdict>().is_ok()), "{verdicts:?}");
    }
}
