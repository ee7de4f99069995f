//! Once nothing goes wrong any more, everything comes to rest, and whatever was written is acknowledged or
//! refused.

use super::{Checker, Finding, Record};
use crate::observations::Observation;

#[derive(Default)]
pub(super) struct Liveness;

impl Checker for Liveness {
    const GUARANTEE: &'static str = "live";

    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        match seen {
            Observation::NotSettled { waiting } => {
                Err(format!("it does not come to rest; waiting: {waiting}"))
            }
            Observation::Endless { steps } => Err(format!("it goes on and on, for {steps} steps")),
            Observation::Ended => {
                let waits = before
                    .intents
                    .iter()
                    .find(|meant| meant.acked.is_none() && !meant.refused && !meant.dropped);
                match waits {
                    None => Ok(()),
                    Some(meant) => Err(format!("{meant:?} was never answered")),
                }
            }
            _ => Ok(()),
        }
    }
}
