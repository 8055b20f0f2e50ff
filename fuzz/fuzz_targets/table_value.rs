#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chunkmigrate_fuzz::table_value(data));
