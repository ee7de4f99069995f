//! How long a client waits for what: as long as the page does, whose own numbers the test below compares.

/// After how long it syncs again, once it has connected: the index may not have shown its connection to
/// whoever wrote meanwhile.
pub(super) const SYNC_AGAIN_MS: i64 = 5_000;
/// How long it waits for what is missing before it syncs.
pub(super) const HOLE_PATIENCE_MS: i64 = 200;
/// How many pages one sync takes before it begins anew with the newest one.
pub(super) const SYNC_PAGES_MAX: u32 = 10;
/// How long a message waits for the answer to its first try, to its second, and to each further one.
const ANSWER_WITHIN_MS: [i64; 3] = [12_000, 20_000, 35_000];
pub(super) const PONG_WITHIN_MS: i64 = 10_000;
pub(super) const PING_EVERY_MS: i64 = 530_000;
pub(super) const REAUTH_WITHIN_MS: i64 = 10_000;

/// How long a message waits for its answer, when so many tries in a row had none.
pub(super) fn answer_within_ms(unanswered: usize) -> i64 {
    ANSWER_WITHIN_MS[unanswered.min(ANSWER_WITHIN_MS.len() - 1)]
}

/// How long it waits before it tries a message again, at most, the first time; twice as long each further
/// time.
const RETRY_MIN_MS: i64 = 1_000;
const RETRY_MAX_MS: i64 = 30_000;

/// At most how long it waits after so many tries that failed.
pub(super) fn longest_retry_ms(tries: u32) -> i64 {
    (RETRY_MIN_MS << tries.min(5)).min(RETRY_MAX_MS)
}

/// How long it waits before it connects anew.
const RECONNECT_MIN_MS: i64 = 500;
const RECONNECT_SPREAD_MS: i64 = 1_000;
const RECONNECT_MAX_MS: i64 = 15_000;
const RECONNECT_GROWTH: f64 = 1.6;
/// After so many failures it has waited for the longest time anyway.
const RECONNECT_FAILURES_MAX: u32 = 8;

/// Between how many milliseconds it waits after so many failures.
pub(super) fn reconnect_ms(failures: u32) -> std::ops::Range<i64> {
    let growth = RECONNECT_GROWTH.powi(failures.min(RECONNECT_FAILURES_MAX).cast_signed());
    let longest = (RECONNECT_MIN_MS as f64 * growth).min(RECONNECT_MAX_MS as f64);
    RECONNECT_MIN_MS..RECONNECT_SPREAD_MS + longest as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! source {
        ($file:literal) => {
            include_str!(concat!("../../../../web/packages/chat-core/src/", $file))
        };
    }

    /// A constant of the page's, as it is written.
    fn written<'a>(source: &'a str, name: &str) -> &'a str {
        let declaration = format!("const {name} = ");
        let line =
            source.lines().find_map(|line| line.trim_start_matches("export ").strip_prefix(&declaration));
        line.unwrap_or_else(|| panic!("the page has no {name}"))
    }

    /// The value of one, which may be a product.
    fn of_page(source: &str, name: &str) -> i64 {
        let factors = written(source, name).replace('_', "");
        factors.split('*').map(|factor| factor.trim().parse::<i64>().unwrap()).product()
    }

    #[test]
    fn a_client_waits_as_long_as_the_page_does() {
        let transport = source!("transport.ts");
        for (waits, source, name) in [
            (SYNC_AGAIN_MS, source!("client.ts"), "SYNC_AGAIN_MS"),
            (HOLE_PATIENCE_MS, source!("roomSync.ts"), "HOLE_PATIENCE_MS"),
            (i64::from(SYNC_PAGES_MAX), source!("roomSync.ts"), "SYNC_PAGES_MAX"),
            (PONG_WITHIN_MS, transport, "ANSWER_WITHIN_MS"),
            (PING_EVERY_MS, transport, "PING_EVERY_MS"),
            (REAUTH_WITHIN_MS, source!("reauth.ts"), "ANSWER_WITHIN_MS"),
            (RETRY_MIN_MS, source!("sender.ts"), "WAIT_MIN_MS"),
            (RETRY_MAX_MS, source!("sender.ts"), "WAIT_MAX_MS"),
            (RECONNECT_MIN_MS, transport, "DELAY_MIN_MS"),
            (RECONNECT_SPREAD_MS, transport, "DELAY_SPREAD_MS"),
            (RECONNECT_MAX_MS, transport, "DELAY_MAX_MS"),
        ] {
            assert_eq!(waits, of_page(source, name), "{name}");
        }
        let within = written(source!("exchange.ts"), "ANSWER_WITHIN_MS").replace('_', "");
        assert_eq!(within, format!("{ANSWER_WITHIN_MS:?} as const"));
    }
}
