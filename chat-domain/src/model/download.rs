/// How many bytes that are downloaded count as one request, since they cost the operator about as much as the
/// dearest request of another kind (docs/abuse.md). The page makes its photos smaller, and fifty messages as
/// people write them are a twentieth of it.
pub const BYTES_OF_A_REQUEST: u64 = 512 * 1024;

/// For how many requests so many bytes count, with the one that they were asked for by.
#[must_use]
pub(crate) fn requests_of_bytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(BYTES_OF_A_REQUEST).max(1)).unwrap_or(u32::MAX)
}
