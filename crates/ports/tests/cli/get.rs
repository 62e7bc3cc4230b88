//! `ports get`.

use super::{ports, sandbox};

#[test]
fn a_number_a_line() {
    let sandbox = sandbox();
    ports(&sandbox, &["get", "databases.redis", "otel.grpc", "web.\"foo.bar\""])
        .code(0)
        .stdout("6379\n4317\n8080\n")
        .stderr("");
}

#[test]
fn ranges_and_lists() {
    let sandbox = sandbox();
    let paths = [
        "infrastructure.mosh-udp",
        "infrastructure.mosh-udp.from",
        "media",
        "media-end",
        "usual",
        "infrastructure.dns",
        "infrastructure.dns.port",
    ];
    ports(&sandbox, &[&["get"][..], &paths].concat())
        .code(0)
        .stdout("60000-60010\n60000\n7000-7001\n7001\n80 443\n53\n53\n")
        .stderr("");
}

#[test]
fn what_is_missing_is_told_and_the_rest_is_printed() {
    let sandbox = sandbox();
    ports(&sandbox, &["get", "databases.redi", "otel.grpc", "nothing.like.it"])
        .code(1)
        .stdout("4317\n")
        .stderr(
            "ports: no port `databases.redi` in `lib/ports.nix`\n\
             hint: did you mean `databases.redis`?\n\
             ports: no port `nothing.like.it` in `lib/ports.nix`\n",
        );
}

#[test]
fn a_last_name_alone_is_a_hint() {
    let sandbox = sandbox();
    ports(&sandbox, &["get", "redis"]).code(1).stdout("").stderr(
        "ports: no port `redis` in `lib/ports.nix`\nhint: did you mean `databases.redis`?\n",
    );
}

#[test]
fn a_default_is_for_what_is_missing_only() {
    let sandbox = sandbox();
    ports(&sandbox, &["get", "--default", "8081", "web.admin", "databases.redis"])
        .code(0)
        .stdout("8081\n6379\n")
        .stderr("");
    ports(&sandbox, &["get", "--default", "8081", "domain"])
        .code(2)
        .stdout("")
        .stderr("ports: lib/ports.nix:17:3: `domain` is a string, not a port\n");
    ports(&sandbox, &["get", "--default", "0", "x"]).code(2).stdout("").stderr(
        "ports: invalid value '0' for '--default <N>': 0 is not in 1..=65535\n\n\
         For more information, try '--help'.\n",
    );
}

#[test]
fn a_group_is_not_a_port() {
    let sandbox = sandbox();
    ports(&sandbox, &["get", "databases", "otel.grpc"]).code(2).stdout("4317\n").stderr(
        "ports: `databases` is a group, not a port\n\
         hint: ask for one of its ports: `databases.postgresql`, `databases.redis`\n",
    );
}

#[test]
fn as_json() {
    let sandbox = sandbox();
    let paths = ["infrastructure.mosh-udp", "databases.redis", "usual", "none"];
    ports(&sandbox, &[&["get", "--json", "--default", "1"][..], &paths].concat())
        .code(0)
        .stdout(
            r#"[
  {
    "path": "infrastructure.mosh-udp",
    "names": [
      "infrastructure",
      "mosh-udp"
    ],
    "from": 60000,
    "to": 60010,
    "protocol": "udp",
    "file": "lib/ports.nix",
    "line": 10,
    "column": 5,
    "description": null,
    "computed": true
  },
  {
    "path": "databases.redis",
    "names": [
      "databases",
      "redis"
    ],
    "port": 6379,
    "protocol": null,
    "file": "lib/ports.nix",
    "line": 4,
    "column": 5,
    "description": "cache"
  },
  {
    "path": "usual",
    "names": [
      "usual"
    ],
    "ports": [
      {
        "port": 80
      },
      {
        "port": 443
      }
    ],
    "protocol": null,
    "file": "lib/ports.nix",
    "line": 14,
    "column": 3,
    "description": null,
    "computed": true
  },
  {
    "path": "none",
    "names": [
      "none"
    ],
    "port": 1,
    "protocol": null,
    "file": null,
    "line": null,
    "column": null,
    "description": null,
    "default": true
  }
]
"#,
        )
        .stderr("");
    ports(&sandbox, &["get", "--json", "none"])
        .code(1)
        .stdout("[]\n")
        .stderr("ports: no port `none` in `lib/ports.nix`\n");
}

#[test]
fn usage() {
    let sandbox = sandbox();
    ports(&sandbox, &["get", "a..b"]).code(2).stdout("").stderr(
        "ports: invalid value 'a..b' for '<PATH>...': `a..b` has an empty name; names are separated \
         by single dots\n\nFor more information, try '--help'.\n",
    );
    let output = ports(&sandbox, &["get"]).code(2).stdout("");
    assert!(output.stderr.contains("<PATH>..."), "{}", output.stderr);
    let output = ports(&sandbox, &[]).code(2).stdout("");
    assert!(output.stderr.starts_with("Look up, check, allocate and export"), "{}", output.stderr);
}
