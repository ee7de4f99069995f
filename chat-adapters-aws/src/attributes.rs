use std::str::FromStr;

use chat_domain::BoxError;

use crate::items::{Item, Value};

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

pub(crate) fn text(value: impl ToString) -> Value {
    Value::S(value.to_string())
}

pub(crate) fn number(value: impl ToString) -> Value {
    Value::N(value.to_string())
}

/// An attribute with this text, or no attribute if the text is empty.
pub(crate) fn words(value: &str) -> Option<Value> {
    (!value.is_empty()).then(|| text(value))
}

/// An attribute with these bytes, or no attribute if there are none.
pub(crate) fn bytes(value: Vec<u8>) -> Option<Value> {
    (!value.is_empty()).then_some(Value::B(value))
}

pub(crate) fn item<const N: usize>(attributes: [(&str, Value); N]) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Reads the attributes of an item. An attribute of another type counts as absent.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Item);

impl<'a> Fields<'a> {
    pub(crate) fn text(self, name: &'static str) -> Result<&'a str, Malformed> {
        let value = self.0.get(name).and_then(Value::as_s);
        value.ok_or(Malformed::Absent(name))
    }

    pub(crate) fn parsed<T: FromStr<Err: Into<BoxError>>>(self, name: &'static str) -> Result<T, Malformed> {
        self.text(name)?.parse().map_err(|error| Malformed::value(name, error))
    }

    pub(crate) fn maybe_parsed<T: FromStr<Err: Into<BoxError>>>(
        self,
        name: &'static str,
    ) -> Result<Option<T>, Malformed> {
        self.has(name).then(|| self.parsed(name)).transpose()
    }

    pub(crate) fn number<T: FromStr<Err: Into<BoxError>>>(self, name: &'static str) -> Result<T, Malformed> {
        self.maybe_number(name)?.ok_or(Malformed::Absent(name))
    }

    pub(crate) fn maybe_number<T: FromStr<Err: Into<BoxError>>>(
        self,
        name: &'static str,
    ) -> Result<Option<T>, Malformed> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let digits = value.as_n().ok_or(Malformed::Absent(name))?;
        digits.parse().map(Some).map_err(|error: T::Err| Malformed::value(name, error))
    }

    /// The bytes that `bytes` wrote: there are none if there is no such attribute.
    pub(crate) fn bytes(self, name: &'static str) -> Result<&'a [u8], Malformed> {
        let Some(value) = self.0.get(name) else { return Ok(&[]) };
        value.as_b().ok_or(Malformed::Absent(name))
    }

    pub(crate) fn map(self, name: &'static str) -> Result<Fields<'a>, Malformed> {
        let value = self.0.get(name).and_then(Value::as_m);
        value.map(Fields).ok_or(Malformed::Absent(name))
    }

    pub(crate) fn has(self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}
