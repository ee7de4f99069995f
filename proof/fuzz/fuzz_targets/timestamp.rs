//! Fuzzes what [`chat_fuzz::timestamp`] says.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::timestamp(data));
