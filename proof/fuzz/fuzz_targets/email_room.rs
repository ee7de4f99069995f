//! Fuzzes what [`chat_fuzz::email_room`] says.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chat_fuzz::email_room(data));
