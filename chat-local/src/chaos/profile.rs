use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;

/// What `--chaos` asks for: a seed, and how bad it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chaos {
    /// The same seed has the same faults.
    pub seed: u64,
    /// How often what goes wrong.
    pub profile: Profile,
}

/// How often what goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// One event in a hundred.
    Calm,
    /// One event in twenty.
    #[default]
    Default,
    /// One event in four.
    Storm,
    /// One push in four, and nothing else.
    Pushes,
    /// One connection in four, and nothing else.
    Connections,
    /// One invocation of a function in four, and nothing else.
    Functions,
    /// One call of the store in four, and nothing else.
    Store,
}

/// How likely an event of each kind goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct FaultRates {
    pub(super) connections: f64,
    pub(super) functions: f64,
    pub(super) pushes: f64,
    pub(super) store: f64,
}

/// The text after `--chaos` is neither a seed nor a seed and a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SEED or SEED:PROFILE, such as 7 or 7:storm; profiles: {}", Profile::names())]
pub struct ChaosError;

impl Profile {
    pub(super) fn rates(self) -> FaultRates {
        let all = |rate| FaultRates { connections: rate, functions: rate, pushes: rate, store: rate };
        let often = all(0.25);
        let never = FaultRates::default();
        match self {
            Self::Calm => all(0.01),
            Self::Default => all(0.05),
            Self::Storm => often,
            Self::Pushes => FaultRates { pushes: often.pushes, ..never },
            Self::Connections => FaultRates { connections: often.connections, ..never },
            Self::Functions => FaultRates { functions: often.functions, ..never },
            Self::Store => FaultRates { store: often.store, ..never },
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn names() -> String {
        Self::value_variants().iter().map(|profile| profile.name()).collect::<Vec<_>>().join(", ")
    }
}

impl FromStr for Chaos {
    type Err = ChaosError;

    fn from_str(text: &str) -> Result<Self, ChaosError> {
        let (seed, profile) = match text.split_once(':') {
            None => (text, Profile::default()),
            Some((seed, profile)) => (seed, Profile::from_str(profile, false).map_err(|_| ChaosError)?),
        };
        Ok(Self { seed: seed.parse().map_err(|_| ChaosError)?, profile })
    }
}

impl fmt::Display for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seed, self.profile.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_stands_alone_or_with_a_profile_and_anything_else_is_refused_with_the_choices() {
        assert_eq!("7".parse(), Ok(Chaos { seed: 7, profile: Profile::Default }));
        assert_eq!("7:storm".parse(), Ok(Chaos { seed: 7, profile: Profile::Storm }));
        for wrong in ["", "seven", "7:", "7:rain", "-1", "7:storm:calm", "99999999999999999999"] {
            assert_eq!(wrong.parse::<Chaos>(), Err(ChaosError), "{wrong:?}");
        }
        assert!(
            ChaosError.to_string().ends_with("calm, default, storm, pushes, connections, functions, store")
        );
    }

    #[test]
    fn what_it_is_called_reads_back() {
        for profile in Profile::value_variants() {
            let chaos = Chaos { seed: u64::MAX, profile: *profile };
            assert_eq!(chaos.to_string().parse(), Ok(chaos));
        }
    }
}
