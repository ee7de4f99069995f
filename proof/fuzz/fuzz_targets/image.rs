//! Fuzzes what [`chat_fuzz::image`] says.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::image(data));
