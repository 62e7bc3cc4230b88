//! `ports check` without `--live`.

use testkit::{Output, Sandbox};

use super::ports;

/// A system whose files say what the tests expect, whatever the machine says.
fn sandbox(text: &str) -> Sandbox {
    let sandbox = Sandbox::without_programs();
    sandbox.write("ports.nix", text);
    sandbox.write("sys/proc/sys/net/ipv4/ip_unprivileged_port_start", "0\n");
    sandbox.write("sys/proc/sys/net/ipv4/ip_local_port_range", "65535\t65535\n");
    sandbox.write("sys/proc/sys/net/ipv4/ip_local_reserved_ports", "\n");
    sandbox
}

fn check(sandbox: &Sandbox, args: &[&str]) -> Output {
    ports(sandbox, &[&["check", "--system", "sys"], args].concat())
}

#[track_caller]
fn finds(text: &str, findings: &str) {
    let code = i32::from(findings.contains(": error "));
    check(&sandbox(text), &[]).code(code).stdout(findings).stderr("");
}

#[test]
fn nothing_is_wrong() {
    finds("{ a = 1; b = { c = 2; d = 3; }; }", "");
}

#[test]
fn duplicates_name_both_sides() {
    finds(
        "{\n  auth.authelia = 9091;\n  media = {\n    transmission = 9091;\n  };\n  x = 9091;\n}\n",
        "ports.nix:4:5: error P001: `media.transmission` is 9091, as is `auth.authelia` (ports.nix:2:3)\n\
         ports.nix:6:3: error P001: `x` is 9091, as is `auth.authelia` (ports.nix:2:3)\n",
    );
}

#[test]
fn an_alias_is_no_duplicate() {
    finds("rec { ssh = 22; http = 80; https = 443; usual = [ ssh http https ]; web = http; }", "");
    finds("let base = 80; in { a = base; b = base; c.d = base; }", "");
    finds("let p = { a = 80; }; in { inherit (p) a; b = p.a; all = { inherit (p) a; }; }", "");
    finds("rec { a = 80; b = a + 1; c = b; d = { inherit b; }; }", "");
    finds("rec { r = { from = 10; to = 20; }; first = r.from; last = r.to; same = r; }", "");
    finds("rec { x-start = 10; x-end = 20; first = x-start; }", "");
    finds("rec { a = { port = 53; protocol = \"udp\"; }; b = a; c = a.port; }", "");
}

#[test]
fn one_literal_in_two_places_is_a_duplicate() {
    finds(
        "rec { ssh = 22;\n usual = [ ssh 22 ]; }",
        "ports.nix:2:2: error P001: `usual` is 22, as is `ssh` (ports.nix:1:7)\n",
    );
    finds("{ usual = [ 22 22 ]; }", "ports.nix:1:3: error P001: `usual` holds 22 more than once\n");
}

#[test]
fn one_function_called_twice_is_a_duplicate() {
    finds(
        "let port = n: 3000 + n; in rec {\n  a = port 1;\n  b = port 1;\n  c = b;\n}",
        "ports.nix:3:3: error P001: `b` is 3001, as is `a` (ports.nix:2:3)\n",
    );
    finds(
        "(builtins.fromJSON \"{\\\"a\\\": 80, \\\"b\\\": 80}\")",
        "ports.nix: error P001: `b` is 80, as is `a`\n",
    );
}

#[test]
fn ranges_overlap() {
    finds(
        "{\n  a = { from = 100; to = 200; };\n  b = { start = 200; end = 300; };\n  c = 150;\n  d-min = 10;\n  \
         d-max = 100;\n  e = 9;\n}\n",
        "ports.nix:3:3: error P001: `b` is 200-300, which overlaps `a`, 100-200 (ports.nix:2:3)\n\
         ports.nix:4:3: error P001: `c` is 150, which is in `a`, 100-200 (ports.nix:2:3)\n\
         ports.nix:5:3: error P001: `d` is 10-100, which overlaps `a`, 100-200 (ports.nix:2:3)\n",
    );
    finds(
        "{\n  c = 150;\n  a = { from = 100; to = 200; };\n}\n",
        "ports.nix:3:3: error P001: `a` is 100-200, which holds `c`, 150 (ports.nix:2:3)\n",
    );
    // Two ranges with one start are two ranges.
    finds(
        "let b = 100; in {\n  x = { from = b; to = 110; };\n  y = { from = b; to = 120; };\n}\n",
        "ports.nix:3:3: error P001: `y` is 100-120, which overlaps `x`, 100-110 (ports.nix:2:3)\n",
    );
}

#[test]
fn protocols_keep_apart() {
    finds("{ a-tcp = 53; a-udp = 53; }", "");
    finds("{ a = { port = 53; protocol = \"tcp\"; }; b = { port = 53; proto = \"udp\"; }; }", "");
    finds(
        "{\n  a-udp = 53;\n  b = 53;\n}",
        "ports.nix:3:3: error P001: `b` is 53, as is `a-udp` (ports.nix:2:3)\n",
    );
    finds(
        "{\n  a = { port = 53; protocol = \"both\"; };\n  b-tcp = 53;\n}",
        "ports.nix:3:3: error P001: `b-tcp` is 53, as is `a` (ports.nix:2:3)\n",
    );
}

#[test]
fn what_is_no_port() {
    finds(
        "{\n  a = 0;\n  b = 65536;\n  c = \"80\";\n  d = [ 1 \"2\" ];\n  e = { from = 9; to = 3; };\n  f = x: x;\n  \
         g = { port = 1; protocol = \"tcp\"; };\n}\n",
        "ports.nix:2:3: error P002: `a` is 0 but must be from 1 to 65535\n\
         ports.nix:3:3: error P002: `b` is 65536 but must be from 1 to 65535\n\
         ports.nix:4:3: error P003: `c` is a string, not a port, a range or a list of them\n\
         ports.nix:5:3: error P003: `d` is a list of something else than ports, not a port, a range or a list of them\n\
         ports.nix:6:3: error P003: the range `e` goes from 9 to 3\n\
         ports.nix:7:3: error P003: `f` is a function, not a port, a range or a list of them\n",
    );
}

#[test]
fn bands_and_reserved_numbers() {
    let sandbox = sandbox(
        "{\n  db = { a = 5001; b = 4999; r = { from = 5998; to = 6001; }; };\n  x = 7005;\n}\n",
    );
    sandbox.write("ports.toml", "reserved = [\"7000-7010\"]\n[bands]\ndb = \"5000-5999\"\n");
    check(&sandbox, &[])
        .code(1)
        .stdout(
            "ports.nix:2:20: error P004: `db.b` is 4999, outside of `db`, 5000-5999 (ports.toml:3:1)\n\
             ports.nix:2:30: error P004: `db.r` is 5998-6001, outside of `db`, 5000-5999 (ports.toml:3:1)\n\
             ports.nix:3:3: error P004: `x` is 7005, which is reserved 7000-7010 (ports.toml:1:13)\n",
        )
        .stderr("");
    sandbox.write("ports.toml", "reserved = 7000\n");
    check(&sandbox, &[])
        .code(2)
        .stdout("")
        .stderr("ports: ports.toml:1:1: `reserved` must be a list of numbers and ranges\n");
}

#[test]
fn what_the_system_keeps_is_said_and_does_not_fail() {
    let sandbox = sandbox(
        "rec {\n  usual = [ ssh ];\n  ssh = 22;\n  vpn = 41641;\n  kept = 40000;\n  redis = 6380;\n  httpAlt = 8081;\n  \
         dns-udp = 53;\n}\n",
    );
    sandbox.write("sys/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024\n");
    sandbox.write("sys/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
    sandbox.write("sys/proc/sys/net/ipv4/ip_local_reserved_ports", "39999-40001,8080\n");
    let services = "redis 6379/tcp\nhttp-alt 8080/tcp webcache\ndns 53/udp\n";
    sandbox.write("sys/etc/services", services);
    let sys = "sys/proc/sys/net/ipv4";
    check(&sandbox, &[])
        .code(0)
        .stdout(&format!(
            "ports.nix:3:3: info P005: `ssh` is 22, below 1024 ({sys}/ip_unprivileged_port_start), which needs a privilege\n\
             ports.nix:4:3: info P006: `vpn` is 41641, which an outgoing connection may have: 32768-60999 \
             ({sys}/ip_local_port_range)\n\
             ports.nix:6:3: info P007: `redis` is 6380, but `redis` is 6379/tcp (sys/etc/services:1:1)\n\
             ports.nix:7:3: info P007: `httpAlt` is 8081, but `http-alt` is 8080/tcp (sys/etc/services:2:1)\n\
             ports.nix:8:3: info P005: `dns-udp` is 53, below 1024 ({sys}/ip_unprivileged_port_start), which needs a privilege\n"
        ))
        .stderr("");
    sandbox.write("sys/proc/sys/net/ipv4/ip_local_port_range", "many\n");
    check(&sandbox, &[]).code(2).stdout("").stderr(
        "ports: `sys/proc/sys/net/ipv4/ip_local_port_range` holds `many`, which is no port\n",
    );
}

#[test]
fn without_such_files_there_are_defaults() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("ports.nix", "{ a = 1023; b = 1024; c = 60999; }");
    let output = ports(&sandbox, &["check", "--system", "nowhere"]).code(0);
    assert!(
        output.stdout.starts_with("ports.nix:1:3: info P005: `a` is 1023"),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("info P006: `c` is 60999"), "{}", output.stdout);
    assert!(!output.stdout.contains("1024;"), "{}", output.stdout);
    output.stderr("");
}

#[test]
fn the_policy_says_what_is_not_checked() {
    let sandbox = sandbox("{\n  domain = \"x\";\n  a = 80;\n  b = 80;\n  c = 80;\n}\n");
    sandbox.write("ports.toml", "[check]\nignore = [\"domain\"]\nP001 = [\"b\"]\n");
    check(&sandbox, &[])
        .code(1)
        .stdout("ports.nix:5:3: error P001: `c` is 80, as is `a` (ports.nix:3:3)\n")
        .stderr("");
}

#[test]
fn as_json_and_for_github() {
    let sandbox = sandbox("{\n  a = 80;\n  \"b,c%\" = 80;\n}\n");
    check(&sandbox, &["--format", "json"])
        .code(1)
        .stdout(
            r#"{
  "findings": [
    {
      "rule": "P001",
      "level": "error",
      "path": "\"b,c%\"",
      "message": "`\"b,c%\"` is 80, as is `a` (ports.nix:2:3)",
      "file": "ports.nix",
      "line": 3,
      "column": 3,
      "other": {
        "path": "a",
        "file": "ports.nix",
        "line": 2,
        "column": 3
      }
    }
  ],
  "errors": 1
}
"#,
        )
        .stderr("");
    check(&sandbox, &["--format", "github"])
        .code(1)
        .stdout(
            "::error file=ports.nix,line=3,col=3,title=ports%3A P001::`\"b,c%25\"` is 80, as is `a` (ports.nix:2:3)\n",
        )
        .stderr("");
}

#[test]
fn json_and_toml_registries() {
    let sandbox = sandbox("{ }");
    sandbox.write("r.toml", "[a]\nx = 80\n[b]\ny = \"80\"\n");
    check(&sandbox, &["-f", "r.toml"])
        .code(1)
        .stdout("r.toml:4:1: error P001: `b.y` is 80, as is `a.x` (r.toml:2:1)\n")
        .stderr("");
    sandbox.write("r.json", "{\n \"x\": 80,\n \"y\": 80 }\n");
    check(&sandbox, &["-f", "r.json"])
        .code(1)
        .stdout("r.json:3:2: error P001: `y` is 80, as is `x` (r.json:2:2)\n")
        .stderr("");
}

#[test]
fn what_has_no_value_leaves_the_answer_open() {
    let sandbox = sandbox("{\n  a = 80;\n  b = 80;\n  c = throw \"no\";\n}\n");
    check(&sandbox, &[])
        .code(2)
        .stdout("ports.nix:3:3: error P001: `b` is 80, as is `a` (ports.nix:2:3)\n")
        .stderr("ports: ports.nix:4:7: no\n");
}

#[test]
fn nix_knows_the_value_and_we_the_place() {
    let sandbox = sandbox(
        "rec {\n  a = 80;\n  b = a;\n  c = builtins.hashString \"md5\" \"x\"; # hashed\n}\n",
    );
    sandbox.program("nix-instantiate", "echo '{\"registry\": {\"a\": 80, \"b\": 80, \"c\": 80}}'");
    check(&sandbox, &["-q"])
        .code(1)
        .stdout("ports.nix:4:3: error P001: `c` is 80, as is `a` (ports.nix:2:3)\n")
        .stderr("");
}

#[test]
fn forty_thousand_names() {
    let sandbox = sandbox("{ }");
    let pair = |index: usize| format!("  a{index:05} = x;\n  b{index:05} = 9;\n");
    let pairs: String = (0..20_000).map(pair).collect();
    sandbox.write("ports.nix", format!("let x = 9; in {{\n{pairs}}}\n"));
    let output = check(&sandbox, &[]).code(1);
    assert_eq!(output.stdout.lines().count(), 20_000);
    output.stderr("");
}
