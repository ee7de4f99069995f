//! Fuzzes what [`chat_fuzz::cursor`] says.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::cursor(data));
