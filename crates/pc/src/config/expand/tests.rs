use super::*;

struct Fixed;

impl Values for Fixed {
    fn variable(&self, name: &str) -> Option<String> {
        let value = match name {
            "V" => "abcABC123ABCabc",
            "P" => "path/to/file.tar.gz",
            "EMPTY" => "",
            "S" => "foo/bar",
            "D" => "a.b",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn port(&self, path: &str, has_default: bool) -> Result<Option<u16>, PortError> {
        match path {
            "databases.redis" => Ok(Some(6379)),
            _ if has_default => Ok(None),
            _ => Err(PortError { what: format!("no port `{path}`"), hint: None }),
        }
    }
}

fn expanded(text: &str) -> String {
    expand(text, &Fixed).unwrap().text
}

#[test]
fn the_table() {
    for (text, value) in [
        ("${V}", "abcABC123ABCabc"),
        ("${NONE}", ""),
        ("${NONE:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY=d}", "d"),
        ("${EMPTY:=d}", "d"),
        ("${D:-d}", "a.b"),
        ("${NONE:-${NONE:-a/${D}}}", "a/a.b"),
        ("${D:?m}", "a.b"),
        ("${D:+alternative}", "a.b"),
        ("${NONE-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${EMPTY+a}", "a"),
        ("${NONE+a}", ""),
        ("${V^}", "AbcABC123ABCabc"),
        ("${D^^}", "A.B"),
        ("${V,,}", "abcabc123abcabc"),
        ("${#V}", "15"),
        ("${P#*/}", "to/file.tar.gz"),
        ("${P##*/}", "file.tar.gz"),
        ("${P%.*}", "path/to/file.tar"),
        ("${P%%.*}", "path/to/file"),
        ("${V/abc/XYZ}", "XYZABC123ABCabc"),
        ("${V//abc/XYZ}", "XYZABC123ABCXYZ"),
        ("${V/#abc/XYZ}", "XYZABC123ABCabc"),
        ("${V/%abc/XYZ}", "abcABC123ABCXYZ"),
        ("${V/#ABC/XYZ}", "abcABC123ABCabc"),
        ("${S/\\//-}", "foo-bar"),
        ("${D/./}", "ab"),
        ("${V:3}", "ABC123ABCabc"),
        ("${V:3:3}", "ABC"),
        ("${V:-3}", "abcABC123ABCabc"),
        ("${D:99}", ""),
        ("${D:0:99}", "a.b"),
        ("${D:x}", "a.b"),
        ("$V $$V $(cmd) $((1+2)) $1 $@ $?", "$V $V $(cmd) $((1+2)) $1 $@ $?"),
        ("$${V} $$$${V}", "${V} $${V}"),
        ("${a[1]} ${a[@]} ${#a[@]} ${!V} ${@:2}", "${a[1]} ${a[@]} ${#a[@]} ${!V} ${@:2}"),
        ("${ports.databases.redis}", "6379"),
        ("${ports.none:-80}", "80"),
        ("a\\\\b \\/", "a\\\\b \\/"),
    ] {
        assert_eq!(expanded(text), value, "{text}");
    }
}

#[test]
fn what_has_no_end_is_an_error_but_in_a_comment() {
    for (text, at) in [("a ${V", 2), ("${V:-${D}", 0), ("${a[1]\n}", 0), ("${V/a", 0)] {
        assert_eq!(expand(text, &Fixed).unwrap_err().at, at, "{text}");
    }
    assert_eq!(expanded("# ${V\nx ${D}"), "# ${V\nx a.b");
    assert_eq!(expand("x ${ports.none}", &Fixed).unwrap_err().at, 2);
    assert_eq!(expanded("# ${ports.none}"), "# ${ports.none}");
}

#[test]
fn places_go_back() {
    let text = "ab ${D} cd ${NONE}${V:0:1} e";
    let expanded = expand(text, &Fixed).unwrap();
    assert_eq!(expanded.text, "ab a.b cd a e");
    let from = |part: &str| &text[expanded.original(expanded.text.find(part).unwrap())..];
    assert!(from("cd").starts_with("cd ") && from(".b").starts_with("${D}"));
    assert!(from("e").starts_with('e') && from("ab").starts_with("ab ${D}"));
    assert_eq!(expanded.original(expanded.text.len()), text.len());
}

#[test]
fn ports_are_remembered() {
    let expanded = expand("x ${NONE:-${ports.databases.redis}} ${V}", &Fixed).unwrap();
    let ports: Vec<_> = expanded.pieces.iter().map(|piece| piece.ports.len()).collect();
    assert_eq!(ports, [1, 0]);
}

#[test]
fn bombs() {
    struct Big;
    impl Values for Big {
        fn variable(&self, _: &str) -> Option<String> {
            Some("x".repeat(100_000))
        }
        fn port(&self, _: &str, _: bool) -> Result<Option<u16>, PortError> {
            Ok(None)
        }
    }
    assert!(expand(&"${A}".repeat(100_000), &Big).unwrap_err().what.contains("larger"));
    let deep = format!("{}{}", "${A:-".repeat(10_000), "}".repeat(10_000));
    assert!(expand(&deep, &Fixed).unwrap_err().what.contains("inside each other"));
}
