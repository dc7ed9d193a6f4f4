#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    talkmeter_fuzz::prices(bytes);
});
