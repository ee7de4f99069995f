//! Which stores the handlers have.

/// Which stores the handlers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum StoreKind {
    /// Those of the simulator, whose calls are done in one step.
    Simulated,
    /// Those that are shipped for AWS, over a simulated DynamoDB: each request of theirs is a step.
    Dynamodb,
    /// The same in three regions: tables whose strong reads see every region's writes, connections that other
    /// regions list later, and regions that go and come back.
    ThreeRegions,
}

impl StoreKind {
    /// How many regions there are.
    pub(crate) const fn regions(self) -> usize {
        match self {
            Self::Simulated | Self::Dynamodb => 1,
            Self::ThreeRegions => 3,
        }
    }
}
