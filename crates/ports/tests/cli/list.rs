//! `ports list` and `ports name`.

use super::{ports, sandbox};

#[test]
fn by_number() {
    let sandbox = sandbox();
    ports(&sandbox, &["list"])
        .code(0)
        .stdout(
            "\
53           infrastructure.dns           both  lib/ports.nix:11  names
80,443       usual                        -     lib/ports.nix:14
4317         otel.grpc                    -     lib/ports.nix:7
5432         databases.postgresql         -     lib/ports.nix:5
6379         databases.redis              -     lib/ports.nix:4   cache
7000-7001    media                        -     lib/ports.nix:15
8080         web.\"foo.bar\"                -     lib/ports.nix:13
9100         infrastructure.nodeExporter  -     lib/ports.nix:9
60000-60010  infrastructure.mosh-udp      udp   lib/ports.nix:10
",
        )
        .stderr("");
}

#[test]
fn by_name_and_by_place() {
    let sandbox = sandbox();
    let paths = |sort: &str| {
        let output = ports(&sandbox, &["list", "--sort", sort]).code(0);
        let path = |line: &str| line.split_whitespace().nth(1).unwrap_or("").to_owned();
        output.stdout.lines().map(path).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        paths("name"),
        "databases.postgresql databases.redis infrastructure.dns infrastructure.mosh-udp \
         infrastructure.nodeExporter media otel.grpc usual web.\"foo.bar\""
    );
    assert_eq!(
        paths("file"),
        "databases.redis databases.postgresql otel.grpc infrastructure.nodeExporter \
         infrastructure.mosh-udp infrastructure.dns web.\"foo.bar\" usual media"
    );
}

#[test]
fn as_a_tree() {
    let sandbox = sandbox();
    ports(&sandbox, &["list", "--tree"])
        .code(0)
        .stdout(
            "\
databases
  postgresql    5432
  redis         6379               cache
infrastructure
  dns           53           both  names
  mosh-udp      60000-60010  udp
  nodeExporter  9100
media           7000-7001
otel
  grpc          4317
usual           80,443
web
  \"foo.bar\"     8080
",
        )
        .stderr("");
}

#[test]
fn one_group() {
    let sandbox = sandbox();
    ports(&sandbox, &["list", "--group", "databases", "--sort", "name"])
        .code(0)
        .stdout(
            "5432  databases.postgresql  -  lib/ports.nix:5\n\
             6379  databases.redis       -  lib/ports.nix:4  cache\n",
        )
        .stderr("");
    ports(&sandbox, &["list", "--group", "database"])
        .code(1)
        .stdout("")
        .stderr("ports: no group `database` in `lib/ports.nix`\nhint: did you mean `databases`?\n");
}

#[test]
fn as_json() {
    let sandbox = sandbox();
    let output = ports(&sandbox, &["list", "--json", "--group", "otel"]).code(0);
    output
        .stdout(
            r#"[
  {
    "path": "otel.grpc",
    "names": [
      "otel",
      "grpc"
    ],
    "port": 4317,
    "protocol": null,
    "file": "lib/ports.nix",
    "line": 7,
    "column": 3,
    "description": null
  }
]
"#,
        )
        .stderr("");
}

#[test]
fn what_is_no_port_is_told_after_the_rest() {
    let sandbox = sandbox();
    sandbox.write("lib/ports.nix", "{\n  a = 80;\n  b = 70000;\n  c = throw \"not yet\";\n}\n");
    ports(&sandbox, &["list"]).code(2).stdout("80  a  -  lib/ports.nix:2\n").stderr(
        "ports: lib/ports.nix:4:7: not yet\n\
         ports: lib/ports.nix:3:3: `b` is 70000 but must be from 1 to 65535\n",
    );
}

#[test]
fn control_characters_of_a_comment_are_escaped() {
    let sandbox = sandbox();
    sandbox.write("lib/ports.nix", "{ a = 80; # \u{1b}[31mred\n}\n");
    let output = ports(&sandbox, &["list"]).code(0);
    assert!(!output.stdout.contains('\u{1b}'), "{}", output.stdout);
}

#[test]
fn names_of_a_number() {
    let sandbox = sandbox();
    ports(&sandbox, &["name", "6379"]).code(0).stdout("databases.redis\n").stderr("");
    ports(&sandbox, &["name", "60005"]).code(0).stdout("infrastructure.mosh-udp\n").stderr("");
    ports(&sandbox, &["name", "443"]).code(0).stdout("usual\n").stderr("");
    ports(&sandbox, &["name", "7001"]).code(0).stdout("media\n").stderr("");
    ports(&sandbox, &["name", "1"])
        .code(1)
        .stdout("")
        .stderr("ports: no port 1 in `lib/ports.nix`\n");
    ports(&sandbox, &["name", "65536"]).code(2).stdout("").stderr(
        "ports: invalid value '65536' for '<NUMBER>': 65536 is not in 1..=65535\n\n\
         For more information, try '--help'.\n",
    );
    let output = ports(&sandbox, &["name", "--json", "53"]).code(0);
    assert!(output.stdout.contains("\"protocol\": \"both\""), "{}", output.stdout);
    ports(&sandbox, &["name", "--json", "1"])
        .code(1)
        .stdout("[]\n")
        .stderr("ports: no port 1 in `lib/ports.nix`\n");
}

#[test]
fn a_number_has_all_its_names() {
    let sandbox = sandbox();
    sandbox.write("lib/ports.nix", "rec { b = 80; a = b; c = [ b ]; r = { from = 1; to = 99; }; }");
    ports(&sandbox, &["name", "80"]).code(0).stdout("a\nb\nc\nr\n").stderr("");
}
