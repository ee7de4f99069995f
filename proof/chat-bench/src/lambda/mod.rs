//! Two Lambda functions that send a message, side by side: what a start, a first and a warm request of each
//! take.
//!
//! Both are run by [`lambda_local`] against an AWS that answers at once and counts what it is asked. A
//! comparison is only one if both ask the same.

mod aws;
mod measure;
mod report;
mod tables;

use std::path::Path;

use indicatif::ProgressBar;

pub use aws::{Calls, Transport};
pub use measure::Start;
pub use report::Comparison;

use crate::error::BenchError;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Cold starts of each function.
    pub starts: u32,
    /// Warm requests after each start.
    pub warm: u32,
    /// How AWS is reached.
    pub transport: Transport,
}

/// Measures both, in pairs, each pair in the other order than the one before.
///
/// # Errors
///
/// [`BenchError`] if a function cannot be run, or does not send a message when asked to.
pub async fn compare(
    ours: &Path,
    peer: &Path,
    plan: Plan,
    progress: &ProgressBar,
) -> Result<Comparison, BenchError> {
    let aws = aws::Aws::start(plan.transport).await?;
    progress.set_length(u64::from(plan.starts) * 2);
    progress.set_message("cold starts");
    let mut pairs = Vec::new();
    for number in 0..plan.starts {
        let measured = async |program| {
            let start = measure::start(program, &aws, plan.warm).await;
            progress.inc(1);
            start
        };
        pairs.push(if number % 2 == 0 {
            let ours = measured(ours).await?;
            (ours, measured(peer).await?)
        } else {
            let peer = measured(peer).await?;
            (measured(ours).await?, peer)
        });
    }
    progress.finish_and_clear();
    let zip = |program: &Path| {
        let folder = program.parent()?;
        std::fs::metadata(folder.with_extension("zip")).ok().map(|zip| zip.len())
    };
    Ok(Comparison { plan, pairs, zip_bytes: (zip(ours), zip(peer)) })
}
