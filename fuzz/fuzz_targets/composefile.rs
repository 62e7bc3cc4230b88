//! Any text is read as a process-compose file: it ends, does not panic, and the places are within it.
#![no_main]

use composefile::FileId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(document) = composefile::parse(text, FileId(0)) else { return };
    for (name, process) in &document.processes {
        for value in std::iter::once(name).chain(process.command_lines()) {
            assert!(text.get(value.span.start..value.span.end).is_some(), "{value:?}");
        }
    }
});
