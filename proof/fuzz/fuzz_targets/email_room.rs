//! See [`chat_fuzz::email_room`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::email_room(data));
