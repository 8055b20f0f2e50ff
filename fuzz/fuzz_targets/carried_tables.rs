#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chunkmigrate_fuzz::carried_tables(data));
