//! Runs the documents: every `sh` block is a transcript, `$ command` lines and what they print.
//!
//! The commands of one block share a shell, those of one document a scratch copy of the repository. Stdout and
//! stderr are compared together; `...` alone on a line stands for any lines, `[..]` for any part of one.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where the scratch copy cannot be made"
)]

mod support;

use std::fmt::Write as _;
use std::path::Path;

use snapbox::IntoData as _;

/// One command of a transcript.
struct Step {
    line: usize,
    command: String,
    expected: String,
}

/// The transcripts of a document, block by block.
fn transcripts(name: &str, text: &str) -> Vec<Vec<Step>> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((start, line)) = lines.next() {
        if line.trim() != "```sh" {
            continue;
        }
        let mut block: Vec<Step> = Vec::new();
        for (at, line) in lines.by_ref().take_while(|(_, line)| line.trim() != "```") {
            match (line.strip_prefix("$ "), block.last_mut()) {
                (Some(command), last) if !last.as_ref().is_some_and(|step| step.is_open()) => {
                    let (line, command) = (at + 1, command.to_owned());
                    block.push(Step { line, command, expected: String::new() });
                }
                (_, Some(step)) if step.is_open() => write!(step.command, "\n{line}").unwrap(),
                (_, Some(step)) => writeln!(step.expected, "{line}").unwrap(),
                (_, None) => {
                    panic!("{name}:{}: a `sh` block starts with `$ command`; use `text`", at + 1)
                }
            }
        }
        assert!(!block.is_empty(), "{name}:{}: an empty `sh` block", start + 1);
        blocks.push(block);
    }
    blocks
}

impl Step {
    /// A backslash at the end of a line continues the command on the next one.
    fn is_open(&self) -> bool {
        self.expected.is_empty() && self.command.ends_with('\\')
    }
}

/// Runs one document, and returns the number of commands it holds.
fn run(document: &Path) -> usize {
    let name = document.file_name().unwrap().to_str().unwrap();
    let text = fs_err::read_to_string(document).unwrap();
    let blocks = transcripts(name, &text);
    if blocks.is_empty() {
        return 0;
    }
    let bed = support::bed();
    support::copy_repository(&bed);
    drop(bed.git().ok(["add", "--all"]));
    for block in &blocks {
        let script: String = block.iter().fold(String::from("exec 2>&1\n"), |script, step| {
            script + &step.command + "\nprintf '\\0'\n"
        });
        let output = bed.bash(&script).output();
        let outputs: Vec<&str> = output.stdout.split('\0').collect();
        assert_eq!(outputs.len(), block.len() + 1, "{name}: {}", output.stdout);
        for (step, actual) in block.iter().zip(outputs) {
            let place = format!("{name}:{}: $ {}", step.line, step.command);
            let assert = snapbox::Assert::new().normalize_paths(false);
            let expected = step.expected.as_str().into_data();
            if let Err(difference) = assert.try_eq(Some(&place), actual.into_data(), expected) {
                panic!("{place}\n{difference}");
            }
        }
    }
    blocks.iter().map(Vec::len).sum()
}

#[test]
fn the_readme_is_true() {
    assert!(run(&support::root().join("README.md")) > 0);
}

#[test]
fn the_pages_are_true() {
    let mut commands = 0;
    let mut pages: Vec<_> = fs_err::read_dir(support::root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    for page in pages {
        commands += run(&page);
    }
    assert!(commands > 20, "the pages hold only {commands} commands");
}

/// The repository holds itself to what its tools look for.
#[test]
fn the_repository_keeps_its_own_rules() {
    let bed = support::bed();
    support::copy_repository(&bed);
    drop(bed.git().ok(["add", "--all"]));
    for args in [&["ports", "check"][..], &["ports", "lint"], &["guard", "files", "--all"]] {
        bed.run(args[0]).args(&args[1..]).output().code(0).stdout("").stderr("");
    }
}
