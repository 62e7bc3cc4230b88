//! `ports add`, `ports set` and `ports rm`.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use testkit::Sandbox;

use super::ports;

const TEXT: &str = "\
{ lib, ... }:
let
  base = 3000; # where it starts
in
{
  # Databases.
  databases = {
    redis = 6379; # cache
    postgresql = 5432;
  };
\tweb = rec {
\t\tapi = base;
\t\tadmin = base + 1;
\t\tdocs = 3002; also = docs;
\t};
  otel.grpc = 4317;
  dns = { port = 53; protocol = \"udp\"; };
  mosh = { from = 60000; to = 60010; };
  usual = [ 80 443 ];
  mk = lib.mkDefault 8080;
}
";

fn sandbox(text: &str) -> Sandbox {
    let sandbox = Sandbox::without_programs();
    sandbox.write("lib/ports.nix", text);
    sandbox
}

/// Runs an edit that must be made, and checks that one part of the text became another one.
#[track_caller]
fn edits(text: &str, args: &[&str], number: &str, said: &str, from: &str, to: &str) {
    let sandbox = sandbox(text);
    ports(&sandbox, args).code(0).stdout(number).stderr(said);
    assert_eq!(text.matches(from).count(), 1, "`{from}` must be there once");
    assert_eq!(sandbox.read("lib/ports.nix"), text.replacen(from, to, 1));
}

/// Runs an edit that must be refused, after which the text is as it was.
#[track_caller]
fn refuses(text: &str, args: &[&str], code: i32, said: &str) {
    let sandbox = sandbox(text);
    ports(&sandbox, args).code(code).stdout("").stderr(said);
    assert_eq!(sandbox.read("lib/ports.nix"), text);
}

#[test]
fn a_port_more() {
    edits(
        "{ a = 1; }",
        &["add", "b", "2"],
        "2\n",
        "lib/ports.nix:1: added `b`\n",
        "a = 1;",
        "a = 1; b = 2;",
    );
    edits(
        &TEXT.replace("  mk = lib.mkDefault 8080;\n", ""),
        &["add", "web.new", "3005", "--comment", " the new one "],
        "3005\n",
        "lib/ports.nix:15: added `web.new`\n",
        "\t\tdocs = 3002; also = docs;\n",
        "\t\tdocs = 3002; also = docs;\n\t\tnew = 3005; # the new one\n",
    );
    edits(
        &TEXT.replace("  mk = lib.mkDefault 8080;\n", ""),
        &["add", "otel.http"],
        "4318\n",
        "lib/ports.nix:17: added `otel.http`\n",
        "  otel.grpc = 4317;\n",
        "  otel.grpc = 4317;\n  otel.http = 4318;\n",
    );
}

#[test]
fn a_new_group_has_a_dot() {
    edits(
        "{\n  a = { b = 1; };\n}\n",
        &["add", "new.\"a.b\"", "2"],
        "2\n",
        "lib/ports.nix:3: added `new.\"a.b\"`\n",
        "b = 1; };\n",
        "b = 1; };\n  new.\"a.b\" = 2;\n",
    );
}

#[test]
fn the_set_that_is_the_registry() {
    edits(
        "{ ports = { a = 1; }; other = 1; }",
        &["add", "b", "2"],
        "2\n",
        "lib/ports.nix:1: added `b`\n",
        "a = 1; }",
        "a = 1; b = 2; }",
    );
    edits(
        "{ x.y = { a = 1; }; }",
        &["--root", "x.y", "set", "a", "2"],
        "2\n",
        "lib/ports.nix:1: `a` is now 2\n",
        "a = 1;",
        "a = 2;",
    );
    edits(
        "{ ports.a = 1; }",
        &["add", "b.c", "2"],
        "2\n",
        "lib/ports.nix:1: added `b.c`\n",
        "ports.a = 1; ",
        "ports.a = 1; ports.b.c = 2; ",
    );
}

#[test]
fn what_only_nix_evaluates_may_be_taken() {
    // `mk` has no value here, so no number is known to be free.
    refuses(
        TEXT,
        &["add", "web.new"],
        2,
        "ports: an entry has no value, so it may have any number: lib/ports.nix:20:8: this needs the function argument \
         `lib`, which is not evaluated natively\n",
    );
    let sandbox = sandbox(TEXT);
    sandbox.program(
        "nix-instantiate",
        "echo '{\"registry\": {\"mk\": 8080, \"web\": {\"api\": 3000, \"admin\": 3001, \"docs\": 3002, \"also\": 3002}}}'",
    );
    ports(&sandbox, &["-q", "add", "web.new", "8080"]).code(1).stdout("").stderr(
        "ports: `web.new` is 8080, as is `mk` (lib/ports.nix:20:3)\nhint: `ports next` prints a number that is free\n",
    );
    ports(&sandbox, &["-q", "add", "web.new"]).code(0).stdout("3003\n").stderr("");
}

#[test]
fn another_number() {
    for (path, number, from, to, line) in [
        ("databases.redis", "6380", "redis = 6379;", "redis = 6380;", 8),
        ("dns", "54", "port = 53;", "port = 54;", 17),
        ("dns.port", "54", "port = 53;", "port = 54;", 17),
        ("mosh.to", "60020", "to = 60010;", "to = 60020;", 18),
        ("otel.grpc", "4319", "grpc = 4317;", "grpc = 4319;", 16),
    ] {
        let said = format!("lib/ports.nix:{line}: `{path}` is now {number}\n");
        edits(TEXT, &["set", path, number], &format!("{number}\n"), &said, from, to);
    }
    let sandbox = sandbox(TEXT);
    ports(&sandbox, &["set", "databases.redis", "6379"])
        .code(0)
        .stdout("6379\n")
        .stderr("lib/ports.nix:8: `databases.redis` was already 6379\n");
    assert_eq!(sandbox.read("lib/ports.nix"), TEXT);
}

#[test]
fn a_number_that_was_none() {
    edits(
        "{ a = 70000; b = 1; }",
        &["set", "a", "7000"],
        "7000\n",
        "lib/ports.nix:1: `a` is now 7000\n",
        "70000",
        "7000",
    );
}

#[test]
fn aliases_follow_when_they_may() {
    refuses(
        TEXT,
        &["set", "web.docs", "3009"],
        2,
        "ports: lib/ports.nix:14:10: `web.also` is made from `web.docs` and would change, too\n\
         hint: `--follow` lets it\n",
    );
    edits(
        TEXT,
        &["set", "web.docs", "3009", "--follow"],
        "3009\n",
        "lib/ports.nix:14: `web.docs` is now 3009\n",
        "docs = 3002;",
        "docs = 3009;",
    );
    // `admin` comes from the same number.
    refuses(
        TEXT,
        &["set", "web.api", "3100"],
        2,
        "ports: lib/ports.nix:3:10: `web.admin` is made from `web.api` and would change, too\n\
         hint: `--follow` lets it\n",
    );
}

#[test]
fn a_port_less() {
    edits(
        TEXT,
        &["rm", "databases.redis"],
        "",
        "lib/ports.nix:7: removed `databases.redis`\n",
        "\n    redis = 6379; # cache",
        "",
    );
    edits(
        TEXT,
        &["rm", "otel.grpc"],
        "",
        "lib/ports.nix:15: removed `otel.grpc`\n",
        "\n  otel.grpc = 4317;",
        "",
    );
    edits(
        TEXT,
        &["rm", "mosh"],
        "",
        "lib/ports.nix:17: removed `mosh`\n",
        "\n  mosh = { from = 60000; to = 60010; };",
        "",
    );
    edits(
        "let a = 1; b = 2; in { inherit a b; }",
        &["rm", "a"],
        "",
        "lib/ports.nix:1: removed `a`\n",
        "inherit a b",
        "inherit b",
    );
    refuses(
        TEXT,
        &["rm", "web.docs"],
        2,
        "ports: lib/ports.nix:14:3: an edit of `web.docs` here would break the file: lib/ports.nix:14:10: undefined \
         variable `docs`\nhint: edit the file by hand\n",
    );
}

#[test]
fn what_is_computed_is_refused() {
    for (text, args, said) in [
        (
            TEXT,
            &["set", "web.admin", "3009"][..],
            "ports: lib/ports.nix:13:11: `web.admin` is computed, so there is no number to edit\n",
        ),
        (
            "{ a = { b = 1; } // { c = 2; }; }",
            &["add", "a.d", "3"],
            "ports: lib/ports.nix:1:7: `a` is a computed set\n",
        ),
        (
            "builtins.mapAttrs (n: v: v + 1) { a = 1; }",
            &["set", "a", "3"],
            "ports: lib/ports.nix:1:26: `a` is computed, so there is no number to edit\n",
        ),
        (
            "builtins.listToAttrs [ { name = \"a\"; value = 1; } ]",
            &["rm", "a"],
            "ports: lib/ports.nix:1:37: an edit of `a` here would break the file: lib/ports.nix:1:1: attribute `value` missing\n",
        ),
        (
            "builtins.fromJSON \"{\\\"a\\\": 1}\"",
            &["set", "a", "3"],
            "ports: lib/ports.nix:1:1: `a` is computed, so there is no number to edit\n",
        ),
        (
            "let p = { x = 1; }; in { a = p; b = p; }",
            &["add", "a.z", "3"],
            "ports: lib/ports.nix:1:17: an edit of `a.z` here would change `b.z`, too\n",
        ),
    ] {
        refuses(text, args, 2, &format!("{said}hint: edit the file by hand\n"));
    }
}

#[test]
fn what_is_not_there_or_already_there() {
    refuses(
        TEXT,
        &["add", "databases.redis", "1"],
        1,
        "ports: lib/ports.nix:8:5: `databases.redis` is in the registry already\n\
         hint: `ports set databases.redis PORT` gives it another number\n",
    );
    refuses(
        TEXT,
        &["add", "databases", "1"],
        1,
        "ports: lib/ports.nix:7:3: `databases` is in the registry already\n\
         hint: `ports set databases PORT` gives it another number\n",
    );
    refuses(
        TEXT,
        &["add", "databases.redis.inner", "1"],
        2,
        "ports: lib/ports.nix:8:5: `databases.redis` is no group, so nothing can be in it\n",
    );
    for verb in [&["set", "databases.redi", "1"][..], &["rm", "databases.redi"]] {
        refuses(
            TEXT,
            verb,
            1,
            "ports: no port `databases.redi` in `lib/ports.nix`\nhint: did you mean `databases.redis`?\n",
        );
    }
    refuses(
        TEXT,
        &["rm", "databases"],
        2,
        "ports: `databases` is a group, not a port\n\
         hint: ask for one of its ports: `databases.postgresql`, `databases.redis`\n",
    );
    refuses(
        TEXT,
        &["set", "mosh", "1"],
        2,
        "ports: `mosh` is a range, 60000-60010\nhint: name one of its ends: `mosh.from`, `mosh.to`\n",
    );
    refuses(TEXT, &["set", "usual", "1"], 2, "ports: `usual` is a list, 80 443\n");
}

#[test]
fn what_a_check_would_find_is_refused() {
    let hint = "hint: `ports next` prints a number that is free\n";
    refuses(
        TEXT,
        &["add", "web.new", "6379"],
        1,
        &format!("ports: `web.new` is 6379, as is `databases.redis` (lib/ports.nix:8:5)\n{hint}"),
    );
    refuses(
        TEXT,
        &["set", "otel.grpc", "60005"],
        1,
        &format!(
            "ports: `otel.grpc` is 60005, which is in `mosh`, 60000-60010 (lib/ports.nix:18:3)\n{hint}"
        ),
    );
    refuses(
        TEXT,
        &["set", "mosh.from", "5000"],
        1,
        &format!(
            "ports: `mosh` is 5000-60010, which holds `databases.postgresql`, 5432 (lib/ports.nix:9:5)\n{hint}"
        ),
    );
    let sandbox = sandbox(TEXT);
    sandbox.write("lib/ports.toml", "reserved = [7000]\n[bands]\ndatabases = \"5000-6999\"\n");
    ports(&sandbox, &["set", "databases.redis", "7001"]).code(1).stdout("").stderr(&format!(
        "ports: `databases.redis` is 7001, outside of `databases`, 5000-6999 (lib/ports.toml:3:1)\n{hint}"
    ));
    ports(&sandbox, &["add", "x", "7000"])
        .code(1)
        .stdout("")
        .stderr(&format!("ports: `x` is 7000, which is reserved (lib/ports.toml:1:13)\n{hint}"));
}

#[test]
fn a_dry_run_shows_a_patch_that_applies() {
    let text = "{\n  a = 1;\n  b = 2;\n  c = 3;\n  d = 4;\n  e = 5;\n}";
    let sandbox = Sandbox::new();
    sandbox.write("lib/ports.nix", text);
    ports(&sandbox, &["add", "f", "6", "--dry-run"])
        .code(0)
        .stdout(
            "--- a/lib/ports.nix\n+++ b/lib/ports.nix\n@@ -4,4 +4,5 @@\n   c = 3;\n   d = 4;\n   e = 5;\n+  f = 6;\n \
             }\n\\ No newline at end of file\n",
        )
        .stderr("");
    assert_eq!(sandbox.read("lib/ports.nix"), text);
    let program = env!("CARGO_BIN_EXE_ports");
    for (args, result) in [
        ("add f 6 --comment six", text.replace("5;\n", "5;\n  f = 6; # six\n")),
        ("rm f", text.to_owned()),
        ("set b 9 -n", text.replace("b = 2", "b = 9")),
    ] {
        let run = if args.ends_with("-n") { "" } else { " --dry-run" };
        sandbox
            .bash(&format!("{program} {args}{run} | git apply"))
            .output()
            .code(0)
            .stdout("")
            .stderr("");
        assert_eq!(sandbox.read("lib/ports.nix"), result);
    }
}

#[test]
fn imported_files_are_edited() {
    let sandbox = sandbox("{ db = import ./db.nix; web = import ./web; }");
    sandbox.write("lib/db.nix", "{ lib ? null, ... }:\n{\n  redis = 6379;\n}\n");
    sandbox.write("lib/web/default.nix", "{\n  api = 3000;\n}\n");
    ports(&sandbox, &["set", "web.api", "3001"])
        .code(0)
        .stdout("3001\n")
        .stderr("lib/web/default.nix:2: `web.api` is now 3001\n");
    ports(&sandbox, &["add", "web.docs"])
        .code(0)
        .stdout("3002\n")
        .stderr("lib/web/default.nix:3: added `web.docs`\n");
    assert_eq!(sandbox.read("lib/web/default.nix"), "{\n  api = 3001;\n  docs = 3002;\n}\n");
    assert_eq!(sandbox.read("lib/ports.nix"), "{ db = import ./db.nix; web = import ./web; }");
}

#[test]
fn json_and_toml() {
    let sandbox = Sandbox::without_programs();
    let json = "{\n\t\"db\": {\n\t\t\"redis\": \"6379\"\n\t},\n\t\"web\": {}\n}\n";
    sandbox.write("r.json", json);
    let toml = "# Ports\n[db]\nredis = \"6379\" # cache\n\n[web]\napi = 3000\n";
    sandbox.write("r.toml", toml);
    for file in ["r.json", "r.toml"] {
        let run = |args: &[&str]| ports(&sandbox, &[&["-q", "-f", file], args].concat());
        run(&["set", "db.redis", "6380"]).code(0).stdout("6380\n").stderr("");
        run(&["add", "db.pg", "5432"]).code(0).stdout("5432\n").stderr("");
        run(&["add", "web.admin", "3001"]).code(0).stdout("3001\n").stderr("");
        run(&["add", "new.x", "3010"]).code(0).stdout("3010\n").stderr("");
    }
    assert_eq!(
        sandbox.read("r.json"),
        "{\n\t\"db\": {\n\t\t\"redis\": \"6380\",\n\t\t\"pg\": 5432\n\t},\n\t\"web\": { \"admin\": 3001},\n\t\"new\": \
         {\"x\": 3010}\n}\n"
    );
    assert_eq!(
        sandbox.read("r.toml"),
        "new.x = 3010\n# Ports\n[db]\nredis = \"6380\" # cache\npg = 5432\n\n[web]\napi = 3000\nadmin = 3001\n"
    );
    for file in ["r.json", "r.toml"] {
        let run = |args: &[&str]| ports(&sandbox, &[&["-q", "-f", file], args].concat());
        for path in ["db.pg", "web.admin", "new.x"] {
            run(&["rm", path]).code(0).stdout("").stderr("");
        }
        run(&["set", "db.redis", "6379"]).code(0).stdout("6379\n").stderr("");
    }
    assert_eq!(sandbox.read("r.json"), json);
    assert_eq!(sandbox.read("r.toml"), toml);
    ports(&sandbox, &["-f", "r.json", "add", "a", "1", "--comment", "x"])
        .code(2)
        .stdout("")
        .stderr("ports: r.json:1:1: JSON has no comments\nhint: edit the file by hand\n");
}

#[test]
fn the_file_keeps_its_link_mode_and_line_ends() {
    let sandbox = Sandbox::without_programs();
    let target = sandbox.write("real/p.nix", "{\r\n\ta = 1;\r\n}\r\n");
    fs_err::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).unwrap();
    fs_err::create_dir(sandbox.path("lib")).unwrap();
    symlink("../real/p.nix", sandbox.path("lib/ports.nix")).unwrap();
    ports(&sandbox, &["-q", "add", "b", "2"]).code(0).stdout("2\n").stderr("");
    assert_eq!(sandbox.read("real/p.nix"), "{\r\n\ta = 1;\r\n\tb = 2;\r\n}\r\n");
    assert!(fs_err::symlink_metadata(sandbox.path("lib/ports.nix")).unwrap().is_symlink());
    assert_eq!(fs_err::metadata(&target).unwrap().mode() & 0o777, 0o640);
    let left: Vec<_> = fs_err::read_dir(sandbox.path("real")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn fifty_edits_at_once() {
    let sandbox = sandbox("{\n  web = {\n    p = 3000;\n  };\n}\n");
    std::thread::scope(|scope| {
        for index in 0..50 {
            let sandbox = &sandbox;
            scope.spawn(move || {
                let path = format!("web.p{index}");
                ports(sandbox, &["-q", "add", &path]).code(0).stderr("");
            });
        }
    });
    let output = ports(&sandbox, &["list"]).code(0);
    let mut numbers: Vec<u16> = output
        .stdout
        .lines()
        .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
        .collect();
    numbers.dedup();
    assert_eq!(numbers, (3000..=3050).collect::<Vec<u16>>());
}

#[test]
fn what_cannot_be_typed_or_written() {
    let sandbox = sandbox("{ a = 1; }");
    for args in [
        &["add", "b", "0"][..],
        &["add", "b", "65536"],
        &["add", "b", "x"],
        &["set", "a", "0"],
        &["add", "b", "2", "--comment", "two\nlines"],
        &["add", "b", "2", "--comment", " "],
        &["add", "b..c", "2"],
        &["set", "a", "auto"],
    ] {
        let output = ports(&sandbox, args).code(2).stdout("");
        assert!(output.stderr.contains("invalid value"), "{}", output.stderr);
    }
    sandbox.write("lib/ports.nix", "{ a = 1 }");
    let output = ports(&sandbox, &["add", "b", "2"]).code(2).stdout("");
    assert!(output.stderr.contains("lib/ports.nix:1:9: syntax error"), "{}", output.stderr);
    assert_eq!(sandbox.read("lib/ports.nix"), "{ a = 1 }");
}
