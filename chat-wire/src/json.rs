//! Strict JSON: an object whose keys come once.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;

use super::error::WireError;

/// A JSON object that was looked through: its keys come once. Two readers of a text in which a key comes
/// twice could disagree about it.
#[derive(Clone, Debug)]
pub struct Object<'a, const N: usize> {
    text: &'a str,
    /// The values of the keys that were wanted.
    pub picked: [Option<Value>; N],
}

impl<'a, const N: usize> Object<'a, N> {
    /// Looks through an object, and picks the values of the wanted keys.
    ///
    /// # Errors
    /// `badRequest`, saying what is wrong and where.
    pub fn look(text: &'a str, wanted: [&str; N]) -> Result<Self, WireError> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let picked = Pick { wanted }.deserialize(&mut deserializer).map_err(fault)?;
        deserializer.end().map_err(fault)?;
        Ok(Self { text, picked })
    }

    /// Reads the object. Unknown keys are ignored, but their values have to be sound all the same: not deeper
    /// than 32 levels, and without half a surrogate pair.
    ///
    /// # Errors
    /// `badRequest`, saying what is wrong and where.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, WireError> {
        let text = self.text;
        if brackets(text) > DEPTH_MAX && depth(text) > DEPTH_MAX {
            return Err(WireError::bad_request("not the JSON expected: it is nested too deeply"));
        }
        let has_surrogates = text.contains('\\') && (text.contains("\\ud") || text.contains("\\uD"));
        if has_surrogates {
            serde_json::from_str::<Value>(text).map_err(fault)?;
        }
        serde_json::from_str(text).map_err(fault)
    }
}

/// Reads an object.
///
/// # Errors
/// `badRequest`, saying what is wrong and where.
pub fn object<T: DeserializeOwned>(text: &str) -> Result<T, WireError> {
    Object::look(text, [])?.read()
}

/// How deeply objects and arrays may stand in one another. Nothing of ours needs more than two levels.
const DEPTH_MAX: usize = 32;

/// How many objects and arrays may begin in a text. Most have so few that none can be nested too deeply, and
/// counting them is quicker than following them.
fn brackets(text: &str) -> usize {
    text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count()
}

/// How deeply objects and arrays stand in one another, in text that may not be JSON.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// serde quotes what it did not expect, however long that is, and an answer has to fit into a frame of 32 KB.
const FAULT_MAX_CHARS: usize = 200;

fn fault(error: serde_json::Error) -> WireError {
    let reason: String = error.to_string().chars().take(FAULT_MAX_CHARS).collect();
    WireError::bad_request(format!("not the JSON expected: {reason}"))
}

struct Pick<'a, const N: usize> {
    wanted: [&'a str; N],
}

impl<'de, const N: usize> DeserializeSeed<'de> for Pick<'_, N> {
    type Value = [Option<Value>; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Pick<'_, N> {
    type Value = [Option<Value>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut picked = std::array::from_fn(|_| None);
        let mut seen = BTreeSet::new();
        while let Some(Key(key)) = map.next_key()? {
            match self.wanted.iter().position(|wanted| *wanted == key) {
                Some(place) => picked[place] = Some(map.next_value()?),
                None => map.next_value::<IgnoredAny>().map(drop)?,
            }
            if let Some(doubled) = seen.replace(key) {
                return Err(serde::de::Error::custom(format_args!("the key `{doubled}` comes twice")));
            }
        }
        Ok(picked)
    }
}

/// A key as it stands in the text, unless something in it is escaped.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsItStands;

        impl<'de> Visitor<'de> for AsItStands {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }

        deserializer.deserialize_str(AsItStands)
    }
}

/// Reads any JSON as nothing but JSON: keys by which serde_json means something of its own, where another
/// crate has turned that on, are keys like others, and come once.
struct Plain;

impl<'de> DeserializeSeed<'de> for Plain {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Plain {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Plain)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Plain)?;
            if object.contains_key(&key) {
                return Err(serde::de::Error::custom(format_args!("the key `{key}` comes twice")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// Reads a field that may be any JSON, [plainly](Plain). `null` is a field that is not there.
pub(crate) fn any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Plain.deserialize(deserializer).map(|value| Some(value).filter(|value| !value.is_null()))
}

/// Reads a text that is JSON, [plainly](Plain); `None` if it is not.
pub(crate) fn stored(text: &str) -> Option<Value> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Plain.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok().map(|()| value)
}
