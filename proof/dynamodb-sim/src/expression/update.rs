//! `UpdateExpression`: what is set and removed.

use chat_adapters_aws::items::{Item, Value};

use super::{Placeholders, Words};
use crate::Invalid;
use crate::value::{number, type_name};

#[derive(Debug)]
pub(crate) struct Update<'a> {
    set: Vec<(&'a str, Term<'a>)>,
    removed: Vec<&'a str>,
}

#[derive(Debug)]
enum Term<'a> {
    Value(&'a Value),
    Attribute(&'a str),
    IfNotExists(&'a str, Box<Self>),
    ListAppend(Box<Self>, Box<Self>),
    Plus(Box<Self>, Box<Self>),
    Minus(Box<Self>, Box<Self>),
}

impl<'a> Update<'a> {
    pub(crate) fn parse(text: &'a str, placeholders: &Placeholders<'a>) -> Result<Self, Invalid> {
        let mut words = Words::of(text, placeholders)?;
        let mut update = Self { set: Vec::new(), removed: Vec::new() };
        while words.peek().is_some() {
            if update.set.is_empty() && words.take("SET") {
                update.set = list(&mut words, assignment)?;
            } else if update.removed.is_empty() && words.take("REMOVE") {
                update.removed = list(&mut words, Words::attribute)?;
            } else {
                return Err(Invalid::new(format!("{:?} begins no section", words.peek())));
            }
        }
        let mut names: Vec<_> = update.names().collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Invalid::new("two paths overlap"));
        }
        Ok(update)
    }

    /// The attributes that it writes.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.set.iter().map(|(name, _)| *name).chain(self.removed.iter().copied())
    }

    /// What becomes of an item. Every term sees it as it was.
    pub(crate) fn of(&self, item: &Item) -> Result<Item, Invalid> {
        let mut updated = item.clone();
        for (name, term) in &self.set {
            updated.insert((*name).to_owned(), term.of(item)?);
        }
        for name in &self.removed {
            updated.remove(*name);
        }
        Ok(updated)
    }
}

fn list<'a, 'p, T>(
    words: &mut Words<'a, 'p>,
    entry: impl Fn(&mut Words<'a, 'p>) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    let mut entries = vec![entry(words)?];
    while words.take(",") {
        entries.push(entry(words)?);
    }
    Ok(entries)
}

fn assignment<'a>(words: &mut Words<'a, '_>) -> Result<(&'a str, Term<'a>), Invalid> {
    let name = words.attribute()?;
    words.expect("=")?;
    let term = Term::parse(words)?;
    if words.take("+") {
        return Ok((name, Term::Plus(term.of_type("N")?, Term::parse(words)?.of_type("N")?)));
    }
    if words.take("-") {
        return Ok((name, Term::Minus(term.of_type("N")?, Term::parse(words)?.of_type("N")?)));
    }
    Ok((name, term))
}

impl<'a> Term<'a> {
    fn parse(words: &mut Words<'a, '_>) -> Result<Self, Invalid> {
        if let Some(value) = words.maybe_value()? {
            return Ok(Self::Value(value));
        }
        match words.peek() {
            Some("if_not_exists") => {
                words.next()?;
                words.expect("(")?;
                let name = words.attribute()?;
                words.expect(",")?;
                let otherwise = Box::new(Self::parse(words)?);
                words.expect(")")?;
                Ok(Self::IfNotExists(name, otherwise))
            }
            Some("list_append") => {
                words.next()?;
                words.expect("(")?;
                let front = Self::parse(words)?.of_type("L")?;
                words.expect(",")?;
                let back = Self::parse(words)?.of_type("L")?;
                words.expect(")")?;
                Ok(Self::ListAppend(front, back))
            }
            _ => words.attribute().map(Self::Attribute),
        }
    }

    /// DynamoDB refuses a value of another type, whatever the item is.
    fn of_type(self, expected: &str) -> Result<Box<Self>, Invalid> {
        match &self {
            Self::Value(value) if type_name(value) != expected => {
                Err(Invalid::new(format!("a {} has no place there", type_name(value))))
            }
            _ => Ok(Box::new(self)),
        }
    }

    fn of(&self, item: &Item) -> Result<Value, Invalid> {
        let digits = |term: &Self| match term.of(item)? {
            Value::N(digits) => number(&digits),
            _ => Err(Invalid::new("something that is no number is added")),
        };
        match self {
            Self::Value(value) => Ok((*value).clone()),
            Self::Attribute(name) => {
                item.get(*name).cloned().ok_or_else(|| Invalid::new(format!("there is no attribute {name}")))
            }
            Self::IfNotExists(name, otherwise) => {
                item.get(*name).cloned().map_or_else(|| otherwise.of(item), Ok)
            }
            Self::ListAppend(front, back) => match (front.of(item)?, back.of(item)?) {
                (Value::L(front), Value::L(back)) => Ok(Value::L([front, back].concat())),
                _ => Err(Invalid::new("something that is no list is appended")),
            },
            Self::Plus(one, other) => Ok(Value::N((digits(one)? + digits(other)?).to_string())),
            Self::Minus(one, other) => Ok(Value::N((digits(one)? - digits(other)?).to_string())),
        }
    }
}
