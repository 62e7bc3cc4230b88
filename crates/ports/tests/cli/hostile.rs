//! Registries that nobody would write, and somebody does.

use testkit::Sandbox;

use super::ports;

#[test]
fn bytes_that_are_no_text() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("ports.nix", b"{ a = 1; }\0");
    ports(&sandbox, &["get", "a"]).code(2).stdout("").stderr(
        "ports: ports.nix:1:11: a NUL byte, which is not evaluated natively\n\
         hint: with Nix on PATH, `--evaluator auto` asks it\n",
    );
    sandbox.write("ports.nix", b"{ a = 1; # caf\xe9\n}");
    ports(&sandbox, &["get", "a"]).code(2).stdout("").stderr(
        "ports: ports.nix:1:15: text that is not UTF-8, which is not evaluated natively\n\
         hint: with Nix on PATH, `--evaluator auto` asks it\n",
    );
    sandbox.write("r.json", b"{\"a\": \"\xff\"}");
    let output = ports(&sandbox, &["-f", "r.json", "get", "a"]).code(2).stdout("");
    assert!(output.stderr.contains("UTF-8"), "{}", output.stderr);
}

#[test]
fn ten_megabytes() {
    let sandbox = Sandbox::without_programs();
    let big = format!("{{ a = 1; }}\n{}", "# padding\n".repeat(1 << 20));
    for name in ["big.nix", "big.json", "big.toml"] {
        sandbox.write(name, &big);
        let output = ports(&sandbox, &["-f", name, "get", "a"]).code(2).stdout("");
        let words = format!("ports: `{name}` has 10485771 bytes, but at most 8388608 are read\n");
        assert!(output.stderr.starts_with(&words), "{}", output.stderr);
    }
}

#[test]
fn a_large_registry_is_read() {
    let sandbox = Sandbox::without_programs();
    let mut text = "{\n".to_owned();
    for group in 0..200 {
        let entries: Vec<String> =
            (0..100).map(|n| format!("    p{n} = {}; # port {n}", 1 + (group * 100 + n))).collect();
        text = format!("{text}  g{group} = {{\n{}\n  }};\n", entries.join("\n"));
    }
    sandbox.write("ports.nix", text + "}\n");
    ports(&sandbox, &["get", "g199.p99"]).code(0).stdout("20000\n").stderr("");
    assert_eq!(ports(&sandbox, &["list"]).code(0).stdout.lines().count(), 20_000);
}

#[test]
fn files_that_import_each_other() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("ports.nix", "{ a = 1; b = (import ./other.nix).c; }");
    sandbox.write("other.nix", "{ c = (import ./ports.nix).b; }");
    ports(&sandbox, &["get", "a"]).code(0).stdout("1\n").stderr("");
    ports(&sandbox, &["get", "b"])
        .code(2)
        .stdout("")
        .stderr("ports: other.nix:1:7: infinite recursion encountered\n");
    sandbox.write("ports.nix", "import ./other.nix");
    sandbox.write("other.nix", "import ./ports.nix");
    ports(&sandbox, &["get", "a"])
        .code(2)
        .stdout("")
        .stderr("ports: other.nix:1:1: `ports.nix` imports itself\n");
}

#[test]
fn deep_and_endless() {
    let sandbox = Sandbox::without_programs();
    let hint = "hint: with Nix on PATH, `--evaluator auto` asks it\n";
    for (text, words) in [
        (format!("{{ a = {}1", "[".repeat(100_000)), "ports.nix:1:2003: too deeply nested"),
        (
            "{ a = let f = x: f x; in f 1; }".to_owned(),
            "ports.nix:1:18: too many calls inside calls",
        ),
        (
            "{ a = builtins.length (builtins.genList (x: x) 1000000000); }".to_owned(),
            "ports.nix:1:24: the evaluation takes too much memory",
        ),
        (
            "{ a = builtins.stringLength (builtins.foldl' (s: x: s + s) \"ab\" (builtins.genList (x: x) 99)); }"
                .to_owned(),
            "ports.nix:1:53: the evaluation takes too much memory",
        ),
    ] {
        sandbox.write("ports.nix", &text);
        ports(&sandbox, &["get", "a"])
            .code(2)
            .stdout("")
            .stderr(&format!("ports: {words}\n{hint}"));
    }
    sandbox.write("ports.nix", "let s = { a = 1; inherit s; }; in s");
    ports(&sandbox, &["list"])
        .code(2)
        .stdout("")
        .stderr("ports: `ports.nix` has more than 24 groups inside each other\n");
}
