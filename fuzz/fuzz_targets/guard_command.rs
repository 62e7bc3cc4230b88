//! Any text is judged as shell text: it ends, and it does not panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    drop(guard::refusals(text));
});
