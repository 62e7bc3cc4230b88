use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn root(text: &str) -> Node {
    read_tree(text, FileId(0)).unwrap().root
}

fn get<'a>(node: &'a Node, path: &str) -> &'a Node {
    path.split('.').fold(node, |node, key| match &node.kind {
        Kind::Mapping(entries) => &entries.iter().find(|(name, _)| name.value == key).unwrap().1,
        Kind::Sequence(items) => &items[key.parse::<usize>().unwrap()],
        Kind::Scalar(_) => panic!("{key} of a scalar"),
    })
}

fn scalar<'a>(node: &'a Node, path: &str) -> &'a Scalar {
    match &get(node, path).kind {
        Kind::Scalar(scalar) => scalar,
        _ => panic!("{path} is no scalar"),
    }
}

#[test]
fn keys_and_values_know_their_places() {
    let text = "a:\n  b: [x, \"ü\"]\n  c: |\n    one\n    two\n";
    let tree = root(text);
    let at = |path: &str| {
        let span = get(&tree, path).span;
        (span.line, span.column, &text[span.start..span.end])
    };
    assert_eq!(at("a.b.0"), (2, 7, "x"));
    assert_eq!(at("a.b.1"), (2, 10, "\"ü\""));
    assert_eq!(get(&tree, "a.c").span.line, 4);
    assert_eq!(scalar(&tree, "a.c").text, "one\ntwo\n");
    let Kind::Mapping(entries) = &get(&tree, "a").kind else { panic!() };
    assert_eq!((entries[1].0.span.line, entries[1].0.span.column), (3, 3));
}

#[test]
fn scalars_are_what_yaml_v3_says() {
    let plain = |text: &str| {
        let tree = root(&format!("a: {text}"));
        format!("{:?}", scalar(&tree, "a").plain())
    };
    for (text, meaning) in [
        ("~", "Null"),
        ("", "Null"),
        ("true", "Bool(true)"),
        ("yes", "Text(\"yes\")"),
        ("no", "Text(\"no\")"),
        ("0755", "Integer(493)"),
        ("0o17", "Integer(15)"),
        ("0x1F", "Integer(31)"),
        ("-12", "Integer(-12)"),
        ("1_000", "Integer(1000)"),
        ("0", "Integer(0)"),
        ("089", "Float(89.0)"),
        ("1.50", "Float(1.5)"),
        ("1e3", "Float(1000.0)"),
        (".5", "Float(0.5)"),
        ("1.2.3", "Text(\"1.2.3\")"),
        ("e3", "Text(\"e3\")"),
        ("\"5\"", "Text(\"5\")"),
        ("!!str 5", "Text(\"5\")"),
        ("-", "Text(\"-\")"),
    ] {
        if text != "-" {
            assert_eq!(plain(text), meaning, "{text}");
        }
    }
    let tree = root("a: on\nb: 'on'\nc: No");
    assert_eq!(scalar(&tree, "a").boolean(), Some(true));
    assert_eq!(scalar(&tree, "b").boolean(), None);
    assert_eq!(scalar(&tree, "c").boolean(), Some(false));
}

#[test]
fn own_keys_win_over_merged_ones_wherever_they_stand() {
    let tree = root(
        "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  c: 3\n  <<: [*x, *y]\nw:\n  <<: *x\n  a: 4\n",
    );
    let all = |name: &str| {
        let Kind::Mapping(entries) = &get(&tree, name).kind else { panic!() };
        let pair = |(key, _): &(Spanned<String>, Node)| {
            format!("{}{}", key.value, scalar(&tree, &format!("{name}.{}", key.value)).text)
        };
        entries.iter().map(pair).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(all("z"), "c3 a1 b1");
    assert_eq!(all("w"), "a4 b1");
    assert_eq!(get(&tree, "w.b").span.line, 1);
}

#[test]
fn errors_say_where() {
    let error = |text: &str| {
        let error = read_tree(text, FileId(0)).unwrap_err();
        (error.line, error.column, error.message)
    };
    assert_eq!(error("a: 1\nb:\n  c: 1\n  c: 2\n"), (4, 3, "the key `c` is here twice".into()));
    assert_eq!(error("[a]: 1\n").0, 1);
    assert_eq!(error("a: &a [*a]\n").2, "an anchor must not hold an alias of itself");
    assert_eq!(error("<<: 5\n").2, "`<<` takes a mapping, or a list of mappings");
    assert_eq!(error("a: *nobody\n").0, 1);
    assert_eq!(error("a:\n\t- b\n").0, 2);
}

#[test]
fn the_first_document_counts() {
    let tree = read_tree("---\na: 1\n---\na: 2\n", FileId(0)).unwrap();
    assert_eq!(scalar(&tree.root, "a").text, "1");
    assert_eq!(tree.second.unwrap().line, 3);
    assert!(root("").is_null() && root("# words\n").is_null() && root("\u{feff}").is_null());
}

#[test]
fn bombs_are_refused() {
    let mut aliases = String::from("a0: &a0 [x]\n");
    let mut merges = String::from("b0: &b0 {x: 1}\n");
    for n in 1..30 {
        let row = |letter: &str| vec![format!("*{letter}{}", n - 1); 10].join(",");
        writeln!(aliases, "a{n}: &a{n} [{}]", row("a")).unwrap();
        writeln!(merges, "b{n}: &b{n} {{<<: [{}], k{n}: [{}]}}", row("b"), row("b")).unwrap();
    }
    let deep = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let maps = format!("{}x{}", "{a: ".repeat(100_000), "}".repeat(100_000));
    for text in [aliases, merges, deep, maps] {
        assert!(read_tree(&text, FileId(0)).is_err());
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[ -~\n\t]{0,200}") {
        drop(read_tree(&text, FileId(0)));
    }

    #[test]
    fn both_readers_agree(value in "[ -~\n]{0,40}") {
        let text = format!("processes:\n  a:\n    command: {value}\n");
        let tree = read_tree(&text, FileId(0));
        if let (Ok(tree), Ok(document)) = (tree, crate::parse(&text, FileId(0)))
            && tree.second.is_none()
            && let [(_, process)] = document.processes.as_slice()
            && let Some(command) = &process.command
        {
            let node = get(&tree.root, "processes.a.command");
            prop_assert_eq!((node.span.line, node.span.column), (command.span.line, command.span.column));
            let Kind::Scalar(scalar) = &node.kind else { return Err(TestCaseError::fail("no scalar")) };
            prop_assert_eq!(&scalar.text, &command.value);
        }
    }
}
