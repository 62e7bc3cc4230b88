use super::*;
use crate::{Evaluator, Limits};

/// Puts `names` into the set at `group`, takes it out again, and gives the text in between.
#[track_caller]
fn round(text: &str, group: &[&str], names: &[&str], comment: Option<&str>) -> String {
    let file = Path::new("f.nix");
    let mut nix = Evaluator::new(Limits::default());
    let root = nix.text(file, text).unwrap();
    let (root, _) = nix.apply_head(root).unwrap();
    let set = nix.select(root, group).unwrap().unwrap();
    let span = nix.written(set).unwrap().span;
    assert_eq!(home(file, text, span).unwrap(), Home::Braces, "{text}");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let new = NewEntry { names: &names, number: 9, comment };
    let added = insert(file, text, span, new).unwrap().unwrap().apply(text);
    let mut nix = Evaluator::new(Limits::default());
    let root = nix.text(file, &added).unwrap_or_else(|error| panic!("{error}:\n{added}"));
    let (root, _) = nix.apply_head(root).unwrap();
    let mut set = nix.select(root, group).unwrap().unwrap();
    for name in &names[..names.len() - 1] {
        set = nix.attribute(set, name).unwrap().unwrap();
    }
    let leaf = names.last().unwrap();
    let binding = nix.binding(set, leaf).unwrap().unwrap_or_else(|| panic!("{added}"));
    let removed = remove(file, &added, binding.span).unwrap().unwrap().apply(&added);
    assert_eq!(removed, text, "after\n{added}");
    added
}

#[test]
fn neighbours_are_followed() {
    for (text, added) in [
        ("{\n  a = 1;\n}\n", "{\n  a = 1;\n  z = 9;\n}\n"),
        ("{\n\ta = 1; # one\n\tb = 2;\t\n}", "{\n\ta = 1; # one\n\tb = 2;\t\n\tz = 9;\n}"),
        ("{\r\n  a = 1; # one\r\n}\r\n", "{\r\n  a = 1; # one\r\n  z = 9;\r\n}\r\n"),
        ("{ a = 1; }", "{ a = 1; z = 9; }"),
        ("{a=1;}", "{a=1; z = 9;}"),
        ("{ a = 1; /* one */ }", "{ a = 1; /* one */ z = 9; }"),
        ("{ a = 1;\n  b = 2; }", "{ a = 1;\n  b = 2;\n  z = 9; }"),
        ("{ a = 1;\n}", "{ a = 1;\n  z = 9;\n}"),
        ("{\n  a = 1; b = 2;\n}", "{\n  a = 1; b = 2;\n  z = 9;\n}"),
        ("{\n  a = 1;\n  # last words\n}", "{\n  a = 1;\n  z = 9;\n  # last words\n}"),
        ("{ }", "{ z = 9; }"),
        ("{}", "{ z = 9;}"),
        ("{\n}", "{\n  z = 9;\n}"),
        ("{\n\n}", "{\n  z = 9;\n\n}"),
        ("{\n  # nothing yet\n}", "{\n  # nothing yet\n  z = 9;\n}"),
        ("{ # nothing yet\n}", "{ # nothing yet\n  z = 9;\n}"),
        ("{ # c\n  b = 2; }", "{ # c\n  b = 2;\n  z = 9; }"),
        ("let x = 1; in\n{\n    inherit x;\n}", "let x = 1; in\n{\n    inherit x;\n    z = 9;\n}"),
        ("{ lib, ... }: rec {\n  a = 1;\n}", "{ lib, ... }: rec {\n  a = 1;\n  z = 9;\n}"),
        ("{ a = [\n 1 ]; /* x\n */ }", "{ a = [\n 1 ]; z = 9; /* x\n */ }"),
    ] {
        assert_eq!(round(text, &[], &["z"], None), added);
    }
}

#[test]
fn comments_go_where_they_end() {
    for (text, added) in [
        ("{\n  a = 1;\n}", "{\n  a = 1;\n  z = 9; # new\n}"),
        ("{ a = 1; }", "{ a = 1; z = 9; /* new */ }"),
        ("{ }", "{ z = 9; /* new */ }"),
        ("{\n}", "{\n  z = 9; # new\n}"),
        ("{ a = 1;\n  b = 2; }", "{ a = 1;\n  b = 2;\n  z = 9; /* new */ }"),
        ("{ z.a = 1; b = 2; }", "{ z.a = 1; b = 2; z.z = 9; /* new */ }"),
    ] {
        let names: &[&str] = if text.contains("z.a") { &["z", "z"] } else { &["z"] };
        assert_eq!(round(text, &[], names, Some("new")), added);
    }
    assert_eq!(round("{ a = 1; }", &[], &["z"], Some("a */ b")), "{ a = 1; z = 9; /* a * / b */ }");
}

#[test]
fn dotted_names_stay_together() {
    for (text, added) in [
        ("{\n  g.a = 1;\n  b = 2;\n}", "{\n  g.a = 1;\n  g.z = 9;\n  b = 2;\n}"),
        ("{ g.a = 1; /* b */ b = 2; }", "{ g.a = 1; g.z = 9; /* b */ b = 2; }"),
        ("{\n  g.a = 1; /* b */ b = 2;\n}", "{\n  g.a = 1; g.z = 9; /* b */ b = 2;\n}"),
        (
            "{\n  \"g\".a = 1; # x\n  h = { };\n}",
            "{\n  \"g\".a = 1; # x\n  g.z = 9;\n  h = { };\n}",
        ),
    ] {
        assert_eq!(round(text, &[], &["g", "z"], None), added);
    }
    assert_eq!(
        round("{\n  a = { b = 1; };\n}", &[], &["new", "z"], None),
        "{\n  a = { b = 1; };\n  new.z = 9;\n}"
    );
}

#[test]
fn names_that_need_quotes() {
    let added = round("{ }", &[], &["foo.bar", "a${b}\"\\", "if", "or"], None);
    assert_eq!(added, "{ \"foo.bar\".\"a\\${b}\\\"\\\\\".\"if\".\"or\" = 9; }");
}

#[test]
fn what_is_written_is_found() {
    let text =
        "let p = { a = 1; }; in { d.x = 1; c = { } // { y = 1; }; m = p; f = (n: { z = n; }) 1; }";
    let file = Path::new("f.nix");
    let mut nix = Evaluator::new(Limits::default());
    let root = nix.text(file, text).unwrap();
    for (name, wanted) in
        [("d", Home::Dotted), ("c", Home::Nowhere), ("m", Home::Braces), ("f", Home::Braces)]
    {
        let set = nix.attribute(root, name).unwrap().unwrap();
        let span = nix.written(set).unwrap().span;
        assert_eq!(home(file, text, span).unwrap(), wanted, "{name}");
    }
    assert_eq!(home(file, text, Span { start: 3, end: 9_999 }).unwrap(), Home::Nowhere);
}

#[test]
fn names_leave_an_inherit() {
    let file = Path::new("f.nix");
    for (text, name, left) in [
        ("let a = 1; b = 2; in { inherit a b; }", "a", "let a = 1; b = 2; in { inherit b; }"),
        ("let a = 1; b = 2; in { inherit a b; }", "b", "let a = 1; b = 2; in { inherit a; }"),
        ("let a = 1; in {\n  inherit a; # it\n  c = 1;\n}", "a", "let a = 1; in {\n  c = 1;\n}"),
        (
            "{\n  inherit ({ a = 1; b = 2; }) a\n    b;\n}",
            "b",
            "{\n  inherit ({ a = 1; b = 2; }) a;\n}",
        ),
        ("{\n  a = 1; b = 2;\n}", "a", "{\n  b = 2;\n}"),
        ("{\n  a = 1; b = 2;\n}", "b", "{\n  a = 1;\n}"),
        ("{ # c\n  a = 1; }", "a", "{ # c\n   }"),
    ] {
        let mut nix = Evaluator::new(Limits::default());
        let root = nix.text(file, text).unwrap();
        let span = nix.binding(root, name).unwrap().unwrap().span;
        let removed = remove(file, text, span).unwrap().unwrap().apply(text);
        assert_eq!(removed, left);
    }
}
