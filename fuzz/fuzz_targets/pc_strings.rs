//! Any text is expanded, and rendered as a template: both end, do not panic, and keep within their limits.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some((expanded, places)) = pc::fuzzing::expand(text) {
        assert!(expanded.len() <= 17 << 20);
        assert!(places.iter().all(|&at| at <= text.len()));
    }
    if let Some(rendered) = pc::fuzzing::render(text) {
        assert!(rendered.len() <= 64 << 20);
    }
    pc::fuzzing::dotenv(text);
});
