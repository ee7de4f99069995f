//! See [`chat_fuzz::cursor`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::cursor(data));
