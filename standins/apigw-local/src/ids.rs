use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

/// Makes ids in the shapes AWS uses. Unique within a process, cheap, and no secret.
pub(crate) struct Ids {
    key: u64,
    next: AtomicU64,
}

impl Ids {
    pub(crate) fn new() -> Self {
        Self { key: RandomState::new().hash_one("apigw-local"), next: AtomicU64::new(0) }
    }

    /// Connection, request and message ids: 11 bytes in URL-safe base64, like `L0SM9cOFvHcCIhw=`.
    pub(crate) fn short(&self) -> String {
        let (high, low) = self.draw();
        let mut bytes = [0; 11];
        bytes[..8].copy_from_slice(&high.to_be_bytes());
        bytes[8..].copy_from_slice(&low.to_be_bytes()[..3]);
        URL_SAFE.encode(bytes)
    }

    /// REST request ids: the shape of a UUID.
    pub(crate) fn uuid(&self) -> String {
        let (high, low) = self.draw();
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }

    /// The first number never repeats: it is a bijection of a counter.
    fn draw(&self) -> (u64, u64) {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let high = mix(self.key.wrapping_add(n.wrapping_mul(GOLDEN)));
        (high, mix(high ^ self.key))
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of splitmix64: <https://prng.di.unimi.it/splitmix64.c>.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_shape_of_aws_ids_and_do_not_repeat() {
        let ids = Ids::new();
        let many: std::collections::HashSet<_> = (0..10_000).map(|_| ids.short()).collect();

        assert_eq!(many.len(), 10_000);
        assert!(many.iter().all(|id| id.len() == 16 && id.ends_with('=')));
        assert_eq!(ids.uuid().len(), 36);
    }
}
