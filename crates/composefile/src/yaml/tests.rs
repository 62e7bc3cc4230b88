use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn one(text: &str) -> Process {
    let document = parse(text, FileId(0)).unwrap();
    document.processes.into_iter().next().unwrap().1
}

fn command(text: &str) -> Spanned<String> {
    one(text).command.unwrap()
}

fn slice(text: &str, span: Span) -> &str {
    &text[span.start..span.end]
}

#[test]
fn names_and_commands_know_their_places() {
    let text =
        "processes:\n  é:\n    command: bun run dev\n  5:\n    entrypoint: [a, b]\n  e: null\n";
    let document = parse(text, FileId(3)).unwrap();
    let names: Vec<_> = document
        .processes
        .iter()
        .map(|(name, _)| (name.value.as_str(), name.span.line, name.span.column))
        .collect();
    assert_eq!(names, [("é", 2, 3), ("5", 4, 3), ("e", 6, 3)]);
    let command = document.processes[0].1.command.as_ref().unwrap();
    assert_eq!((command.span.file, command.span.line, command.span.column), (FileId(3), 3, 14));
    assert_eq!(slice(text, command.span), "bun run dev");
    assert_eq!(document.processes[1].1.entrypoint[1].value, "b");
}

#[test]
fn a_block_begins_at_its_first_line() {
    let text = "processes:\n  a:\n    command: |\n      set -e\n      docker build .\n";
    let command = command(text);
    assert_eq!(command.value, "set -e\ndocker build .\n");
    assert_eq!(command.span.line, 4);
    let folded = "processes:\n  a:\n    command: >-\n      a b\n      c d\n";
    assert_eq!(one(folded).command.unwrap().value, "a b c d");
}

#[test]
fn aliases_and_merge_keys_point_at_the_definition() {
    let text = "x: &c\n  command: docker build\nprocesses:\n  a: *c\n  b:\n    <<: *c\n";
    let document = parse(text, FileId(0)).unwrap();
    for (_, process) in &document.processes {
        let command = process.command.as_ref().unwrap();
        assert_eq!((command.value.as_str(), command.span.line), ("docker build", 2));
    }
}

#[test]
fn every_command_line_of_a_process_is_found() {
    let text = "processes:\n  a:\n    command: one\n    shutdown: {command: two}\n    readiness_probe: {exec: {command: three}}\n    liveness_probe: {exec: {command: four}}\n";
    let process = one(text);
    let lines: Vec<_> = process.command_lines().map(|line| line.value.as_str()).collect();
    assert_eq!(lines, ["one", "two", "three", "four"]);
}

#[test]
fn json_is_read_too() {
    let text = "{\n\t\"processes\": {\n\t\t\"a\": {\"command\": \"x\\ny\\u00e9\"}\n\t}\n}";
    assert_eq!(command(text).value, "x\nyé");
}

#[test]
fn nothing_is_an_empty_project_and_compose_has_no_processes() {
    for text in ["", "# only words\n", "services: {web: {build: .}}\n", "{}\n"] {
        let document = parse(text, FileId(0)).unwrap();
        assert!(!document.has_processes && document.processes.is_empty(), "{text}");
    }
    assert!(parse("processes:\n", FileId(0)).unwrap().has_processes);
}

#[test]
fn a_scalar_of_another_type_is_text() {
    assert_eq!(command("processes: {a: {command: no}}").value, "no");
    assert_eq!(one("processes: {a: {command: null}}").command, None);
}

#[test]
fn errors_say_where() {
    let error = |text| {
        let error = parse(text, FileId(0)).unwrap_err();
        (error.line, error.message)
    };
    let (line, message) = error("processes:\n  a:\n    command: a\n    command: b\n");
    assert!(line == 4 && message.contains("duplicate"), "{line}: {message}");
    assert_eq!(error("processes:\n  a:\n    command: {{ .x }}\n").0, 3);
    assert_eq!(error("processes: [a]\n").0, 1);
    assert_eq!(error("processes: {}\n---\nprocesses: {}\n").0, 3);
}

#[test]
fn bombs_are_refused() {
    let mut aliases = String::from("a0: &a0 [x]\n");
    for n in 1..30 {
        let row = vec![format!("*a{}", n - 1); 10].join(",");
        writeln!(aliases, "a{n}: &a{n} [{row}]").unwrap();
    }
    let deep = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let maps = format!("{}x{}", "{a: ".repeat(100_000), "}".repeat(100_000));
    for text in [aliases, deep, maps] {
        assert!(parse(&text, FileId(0)).is_err());
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[ -~\n\t]{0,200}") {
        drop(parse(&text, FileId(0)));
    }

    #[test]
    fn a_quoted_command_comes_back(value in any::<String>()) {
        let text = format!("processes: {{a: {{command: {}}}}}", quoted(&value));
        prop_assert_eq!(command(&text).value, value);
    }
}

/// A double-quoted scalar with every character escaped.
fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for c in value.chars() {
        write!(text, "\\U{:08x}", u32::from(c)).unwrap();
    }
    text.push('"');
    text
}
