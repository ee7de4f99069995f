//! Expressions: their words, and the names and values that stand in them as placeholders.
//!
//! What the stores have no use for is not understood, and is an error: paths into maps and lists, `IN`,
//! `contains`, `size`, `attribute_type`, `ADD` and `DELETE`.

pub(crate) mod condition;
pub(crate) mod key_condition;
pub(crate) mod update;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::iter::Peekable;

use chat_adapters_aws::items::{Item, Names, Value};

use crate::Invalid;

/// The longest expression that DynamoDB takes.
const EXPRESSION_BYTES_MAX: usize = 4_096;

/// What an expression writes as `#name` and `:value`, and which of them it has used.
pub(crate) struct Placeholders<'a> {
    names: &'a Names,
    values: &'a Item,
    used: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Placeholders<'a> {
    pub(crate) fn new(names: &'a Names, values: &'a Item) -> Self {
        Self { names, values, used: RefCell::default() }
    }

    fn name(&self, placeholder: &'a str) -> Result<&'a str, Invalid> {
        self.used.borrow_mut().insert(placeholder);
        let name = self.names.get(placeholder);
        name.map(String::as_str).ok_or_else(|| Invalid::new(format!("no name is given for {placeholder}")))
    }

    fn value(&self, placeholder: &'a str) -> Result<&'a Value, Invalid> {
        self.used.borrow_mut().insert(placeholder);
        let value = self.values.get(placeholder);
        value.ok_or_else(|| Invalid::new(format!("no value is given for {placeholder}")))
    }

    /// DynamoDB refuses what no expression uses.
    pub(crate) fn are_all_used(&self) -> Result<(), Invalid> {
        let used = self.used.borrow();
        match self.names.keys().chain(self.values.keys()).find(|given| !used.contains(given.as_str())) {
            None => Ok(()),
            Some(unused) => Err(Invalid::new(format!("no expression uses {unused}"))),
        }
    }
}

/// The words of an expression, read one after the other.
pub(crate) struct Words<'a, 'p> {
    words: Peekable<std::vec::IntoIter<&'a str>>,
    placeholders: &'p Placeholders<'a>,
}

impl<'a, 'p> Words<'a, 'p> {
    pub(crate) fn of(expression: &'a str, placeholders: &'p Placeholders<'a>) -> Result<Self, Invalid> {
        if expression.len() > EXPRESSION_BYTES_MAX {
            return Err(Invalid::new("the expression is too long"));
        }
        let words = split(expression)?;
        if words.is_empty() {
            return Err(Invalid::new("the expression is empty"));
        }
        Ok(Self { words: words.into_iter().peekable(), placeholders })
    }

    fn peek(&mut self) -> Option<&'a str> {
        self.words.peek().copied()
    }

    fn next(&mut self) -> Result<&'a str, Invalid> {
        self.words.next().ok_or_else(|| Invalid::new("the expression ends too early"))
    }

    /// Takes the next word if it is this one; keywords have no case.
    fn take(&mut self, word: &str) -> bool {
        self.words.next_if(|next| next.eq_ignore_ascii_case(word)).is_some()
    }

    fn expect(&mut self, word: &str) -> Result<(), Invalid> {
        if self.take(word) {
            Ok(())
        } else {
            Err(Invalid::new(format!("{word} is missing before {:?}", self.peek())))
        }
    }

    /// An attribute, by its name or by a placeholder.
    fn attribute(&mut self) -> Result<&'a str, Invalid> {
        let word = self.next()?;
        match word.as_bytes()[0] {
            b'#' => self.placeholders.name(word),
            first if first.is_ascii_alphabetic() && !is_keyword(word) => Ok(word),
            _ => Err(Invalid::new(format!("{word} is no attribute"))),
        }
    }

    /// A value by its placeholder, if one comes next.
    fn maybe_value(&mut self) -> Result<Option<&'a Value>, Invalid> {
        let word = self.words.next_if(|next| next.starts_with(':'));
        word.map(|word| self.placeholders.value(word)).transpose()
    }

    fn value(&mut self) -> Result<&'a Value, Invalid> {
        let value = self.maybe_value()?;
        value.ok_or_else(|| Invalid::new(format!("{:?} is no value", self.peek())))
    }

    fn is_at_end(&mut self) -> Result<(), Invalid> {
        match self.peek() {
            None => Ok(()),
            Some(word) => Err(Invalid::new(format!("{word} is one word too many"))),
        }
    }
}

fn is_keyword(word: &str) -> bool {
    let keywords = ["AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"];
    keywords.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

fn split(expression: &str) -> Result<Vec<&str>, Invalid> {
    let is_of_word = |character: char| character.is_ascii_alphanumeric() || "_#:".contains(character);
    let mut words = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if is_of_word(first) {
            rest.find(|character| !is_of_word(character)).unwrap_or(rest.len())
        } else if ["<>", "<=", ">="].iter().any(|operator| rest.starts_with(operator)) {
            2
        } else if "=<>(),+-".contains(first) {
            1
        } else {
            return Err(Invalid::new(format!("{first} is not understood")));
        };
        let (word, behind) = rest.split_at(length);
        words.push(word);
        rest = behind.trim_start();
    }
    Ok(words)
}
