//! G5: what was acknowledged before something else was written sorts before it.

use super::{Checker, Finding, Record};
use crate::observations::Stored;

#[derive(Default)]
pub(super) struct Causal;

impl Checker for Causal {
    const GUARANTEE: &'static str = "G5";

    fn stored(&mut self, Stored { message, .. }: Stored<'_>, before: &Record) -> Finding {
        let Some(intent) = before.carried_out() else { return Ok(()) };
        let follows = intent.follows;
        // What is stored a second time is not what followed.
        if intent.row.is_none() && follows >= Some(message.at) {
            return Err(format!("{message:?} was written after {follows:?}"));
        }
        Ok(())
    }
}
