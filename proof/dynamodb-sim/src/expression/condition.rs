//! `ConditionExpression`: whether an item is as a write expects it.

use std::cmp::Ordering;

use chat_adapters_aws::items::{Item, Value};

use super::{Placeholders, Words};
use crate::Invalid;
use crate::value::{equal, order, type_name};

#[derive(Debug)]
pub(crate) enum Condition<'a> {
    Or(Box<Self>, Box<Self>),
    And(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Exists(&'a str),
    BeginsWith(Operand<'a>, Operand<'a>),
    Compares(Operand<'a>, Comparison, Operand<'a>),
    Between(Operand<'a>, Operand<'a>, Operand<'a>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Operand<'a> {
    Attribute(&'a str),
    Value(&'a Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(crate) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "=" => Self::Equal,
            "<>" => Self::Unequal,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    pub(crate) fn allows(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl<'a> Condition<'a> {
    pub(crate) fn parse(text: &'a str, placeholders: &Placeholders<'a>) -> Result<Self, Invalid> {
        let mut words = Words::of(text, placeholders)?;
        let (condition, _) = any(&mut words)?;
        words.is_at_end()?;
        Ok(condition)
    }

    /// Whether it holds of an item, or of the absence of one.
    pub(crate) fn holds(&self, item: Option<&Item>) -> bool {
        match self {
            Self::Or(one, other) => one.holds(item) || other.holds(item),
            Self::And(one, other) => one.holds(item) && other.holds(item),
            Self::Not(condition) => !condition.holds(item),
            Self::Exists(name) => item.is_some_and(|item| item.contains_key(*name)),
            Self::BeginsWith(text, prefix) => match (text.of(item), prefix.of(item)) {
                (Some(Value::S(text)), Some(Value::S(prefix))) => text.starts_with(prefix.as_str()),
                (Some(Value::B(bytes)), Some(Value::B(prefix))) => bytes.starts_with(prefix),
                _ => false,
            },
            Self::Compares(one, comparison, other) => compares(one.of(item), *comparison, other.of(item)),
            Self::Between(operand, low, high) => {
                let operand = operand.of(item);
                compares(operand, Comparison::GreaterOrEqual, low.of(item))
                    && compares(operand, Comparison::LessOrEqual, high.of(item))
            }
        }
    }
}

/// What is absent equals nothing, and has no order.
fn compares(one: Option<&Value>, comparison: Comparison, other: Option<&Value>) -> bool {
    let is_equal = || one.zip(other).is_some_and(|(one, other)| equal(one, other));
    match comparison {
        Comparison::Equal => is_equal(),
        Comparison::Unequal => !is_equal(),
        _ => {
            one.zip(other).and_then(|(one, other)| order(one, other)).is_some_and(|it| comparison.allows(it))
        }
    }
}

impl<'a> Operand<'a> {
    fn parse(words: &mut Words<'a, '_>) -> Result<Self, Invalid> {
        match words.maybe_value()? {
            Some(value) => Ok(Self::Value(value)),
            None => words.attribute().map(Self::Attribute),
        }
    }

    fn of(self, item: Option<&'a Item>) -> Option<&'a Value> {
        match self {
            Self::Attribute(name) => item?.get(name),
            Self::Value(value) => Some(value),
        }
    }

    /// DynamoDB refuses a value that can never be compared in this way.
    fn is_one_of(self, types: &[&str]) -> Result<Self, Invalid> {
        match self {
            Self::Value(value) if !types.contains(&type_name(value)) => {
                Err(Invalid::new(format!("a {} has no place there", type_name(value))))
            }
            _ => Ok(self),
        }
    }
}

const ORDERED: [&str; 3] = ["S", "N", "B"];

/// A condition, and whether all of it stands in brackets: a second pair around it is refused.
type Bracketed<'a> = (Condition<'a>, bool);

fn any<'a>(words: &mut Words<'a, '_>) -> Result<Bracketed<'a>, Invalid> {
    let (mut condition, mut in_brackets) = all(words)?;
    while words.take("OR") {
        condition = Condition::Or(Box::new(condition), Box::new(all(words)?.0));
        in_brackets = false;
    }
    Ok((condition, in_brackets))
}

fn all<'a>(words: &mut Words<'a, '_>) -> Result<Bracketed<'a>, Invalid> {
    let (mut condition, mut in_brackets) = one(words)?;
    while words.take("AND") {
        condition = Condition::And(Box::new(condition), Box::new(one(words)?.0));
        in_brackets = false;
    }
    Ok((condition, in_brackets))
}

fn one<'a>(words: &mut Words<'a, '_>) -> Result<Bracketed<'a>, Invalid> {
    if words.take("NOT") {
        return Ok((Condition::Not(Box::new(one(words)?.0)), false));
    }
    if words.take("(") {
        let (condition, in_brackets) = any(words)?;
        words.expect(")")?;
        if in_brackets {
            return Err(Invalid::new("there are two pairs of brackets around the same"));
        }
        return Ok((condition, true));
    }
    Ok((test(words)?, false))
}

/// A function or a comparison.
fn test<'a>(words: &mut Words<'a, '_>) -> Result<Condition<'a>, Invalid> {
    match words.peek() {
        Some(function @ ("attribute_exists" | "attribute_not_exists")) => {
            let exists = Condition::Exists(argument(words)?);
            Ok(if function == "attribute_exists" { exists } else { Condition::Not(Box::new(exists)) })
        }
        Some("begins_with") => {
            words.next()?;
            words.expect("(")?;
            let text = Operand::parse(words)?.is_one_of(&["S", "B"])?;
            words.expect(",")?;
            let prefix = Operand::parse(words)?.is_one_of(&["S", "B"])?;
            words.expect(")")?;
            Ok(Condition::BeginsWith(text, prefix))
        }
        _ => comparison(words),
    }
}

/// The attribute that is the only argument of a function.
fn argument<'a>(words: &mut Words<'a, '_>) -> Result<&'a str, Invalid> {
    words.next()?;
    words.expect("(")?;
    let name = words.attribute()?;
    words.expect(")")?;
    Ok(name)
}

fn comparison<'a>(words: &mut Words<'a, '_>) -> Result<Condition<'a>, Invalid> {
    let operand = Operand::parse(words)?;
    if words.take("BETWEEN") {
        let operand = operand.is_one_of(&ORDERED)?;
        let low = Operand::parse(words)?.is_one_of(&ORDERED)?;
        words.expect("AND")?;
        let high = Operand::parse(words)?.is_one_of(&ORDERED)?;
        if let (Operand::Value(low), Operand::Value(high)) = (low, high)
            && order(low, high).is_none_or(Ordering::is_gt)
        {
            return Err(Invalid::new("the bounds are of two types, or in the wrong order"));
        }
        return Ok(Condition::Between(operand, low, high));
    }
    let word = words.next()?;
    let comparison = Comparison::of(word).ok_or_else(|| Invalid::new(format!("{word} compares nothing")))?;
    let other = Operand::parse(words)?;
    if matches!(comparison, Comparison::Equal | Comparison::Unequal) {
        return Ok(Condition::Compares(operand, comparison, other));
    }
    Ok(Condition::Compares(operand.is_one_of(&ORDERED)?, comparison, other.is_one_of(&ORDERED)?))
}
