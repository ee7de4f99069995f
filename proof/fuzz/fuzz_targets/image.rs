//! See [`chat_fuzz::image`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::image(data));
