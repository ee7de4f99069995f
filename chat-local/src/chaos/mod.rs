//! What goes wrong on AWS, drawn from a seed.
//!
//! Nothing is drawn from a generator that several events share. Each event has a name, such as "the first
//! commit for the fifth message of the third connection", and the seed and the name alone say what becomes of
//! it. So it does not matter what happens elsewhere at the same time.

mod counts;
mod functions;
mod injector;
mod invocation;
mod log;
mod profile;
mod stores;

pub(crate) use self::functions::UnreliableFunction;
pub(crate) use self::injector::FaultInjector;
pub use self::profile::{Chaos, ChaosError, Profile};
