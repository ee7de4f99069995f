use std::collections::HashMap;
use std::str::FromStr;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use chat_domain::BoxError;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// An item is not as this crate writes it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("the attribute {0} is missing or of another type")]
    Absent(&'static str),
    #[error("the attribute {name} does not parse")]
    Value {
        name: &'static str,
        #[source]
        source: BoxError,
    },
    #[error("the attribute {0} contradicts the rest of the item")]
    Contradiction(&'static str),
}

impl Malformed {
    pub(crate) fn value(name: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Value { name, source: source.into() }
    }
}

pub(crate) fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// An attribute with this text, or no attribute if the text is empty.
pub(crate) fn words(value: &str) -> Option<AttributeValue> {
    (!value.is_empty()).then(|| text(value))
}

/// An attribute with these bytes, or no attribute if there are none.
pub(crate) fn bytes(value: Vec<u8>) -> Option<AttributeValue> {
    (!value.is_empty()).then(|| AttributeValue::B(Blob::new(value)))
}

pub(crate) fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Reads the attributes of an item. An attribute of another type counts as absent.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Item);

impl<'a> Fields<'a> {
    pub(crate) fn text(self, name: &'static str) -> Result<&'a str, Malformed> {
        let value = self.0.get(name).and_then(|value| value.as_s().ok());
        value.map(String::as_str).ok_or(Malformed::Absent(name))
    }

    pub(crate) fn parsed<T: FromStr<Err: Into<BoxError>>>(self, name: &'static str) -> Result<T, Malformed> {
        self.text(name)?.parse().map_err(|error| Malformed::value(name, error))
    }

    pub(crate) fn number<T: FromStr<Err: Into<BoxError>>>(self, name: &'static str) -> Result<T, Malformed> {
        self.maybe_number(name)?.ok_or(Malformed::Absent(name))
    }

    pub(crate) fn maybe_number<T: FromStr<Err: Into<BoxError>>>(
        self,
        name: &'static str,
    ) -> Result<Option<T>, Malformed> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let digits = value.as_n().map_err(|_| Malformed::Absent(name))?;
        digits.parse().map(Some).map_err(|error: T::Err| Malformed::value(name, error))
    }

    pub(crate) fn flag(self, name: &'static str) -> Result<bool, Malformed> {
        let value = self.0.get(name).and_then(|value| value.as_bool().ok());
        value.copied().ok_or(Malformed::Absent(name))
    }

    /// The text that `words` wrote: it is empty if there is no such attribute.
    pub(crate) fn words(self, name: &'static str) -> Result<&'a str, Malformed> {
        if self.has(name) { self.text(name) } else { Ok("") }
    }

    /// The bytes that `bytes` wrote: there are none if there is no such attribute.
    pub(crate) fn bytes(self, name: &'static str) -> Result<&'a [u8], Malformed> {
        let Some(value) = self.0.get(name) else { return Ok(&[]) };
        value.as_b().map(Blob::as_ref).map_err(|_| Malformed::Absent(name))
    }

    pub(crate) fn map(self, name: &'static str) -> Result<Fields<'a>, Malformed> {
        let value = self.0.get(name).and_then(|value| value.as_m().ok());
        value.map(Fields).ok_or(Malformed::Absent(name))
    }

    pub(crate) fn has(self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}
