//! `ports lint`.

use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use testkit::{Output, Sandbox};

use super::ports;

const REGISTRY: &str = "\
{
  databases = { redis = 6379; postgresql = 5432; };
  development = { api = 3000; web = { from = 4000; to = 4009; }; };
}
";

const COMPOSE: &str = "\
processes:
  redis:
    # Port from lib/ports.nix: databases.redis = 6379
    command: redis-server --port 6379
  api:
    # Port from lib/ports.nix: development.api = 3000
    command: bun run dev
    environment:
      PORT: \"3000\"
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("lib/ports.nix", REGISTRY);
    sandbox
}

fn lint(sandbox: &Sandbox, args: &[&str]) -> Output {
    ports(sandbox, &[&["lint"], args].concat())
}

#[test]
fn a_number_is_named_by_its_path() {
    let sandbox = sandbox();
    sandbox.write("x.yaml", "a:\n  command: redis-server --port 6379\n  PORT: 8080\n  b: ${DATABASES_REDIS_PORT:-6380}\n");
    sandbox.write(
        "m.nix",
        "{ services.x.port = 3000; y = \"http://localhost:${toString 4001}\"; z.port = 4001; }",
    );
    lint(&sandbox, &["x.yaml", "m.nix"]).code(1).stdout(
        "m.nix:1:21: error L001: 3000 is `development.api`: use `ports.development.api` of `lib/ports.nix`, \
         or `ports get development.api`\n\
         m.nix:1:77: error L001: 4001 is `development.web`: use `ports.development.web` of `lib/ports.nix`, \
         or `ports get development.web`\n\
         x.yaml:2:32: error L001: 6379 is `databases.redis`: use `ports get databases.redis`\n\
         x.yaml:3:9: error L001: 8080 is not in `lib/ports.nix`: put it there, and use `ports get PATH`\n\
         x.yaml:4:30: error L001: 6380 is what `DATABASES_REDIS_PORT` is by default, but `databases.redis` is 6379: \
         use `ports get databases.redis`\n",
    )
    .stderr("5 ports are written out\n");
    lint(&sandbox, &["--format", "github", "x.yaml", "-q"])
        .code(1)
        .stdout(
            "::error file=x.yaml,line=2,col=32,title=ports%3A L001::6379 is `databases.redis`: use \
             `ports get databases.redis`\n...\n",
        )
        .stderr("");
    sandbox.write("one.env", "PORT=3000\n");
    lint(&sandbox, &["--format", "json", "one.env"])
        .code(1)
        .stdout(
            r#"{
  "findings": [
    {
      "rule": "L001",
      "level": "error",
      "file": "one.env",
      "line": 1,
      "column": 6,
      "port": 3000,
      "paths": [
        "development.api"
      ],
      "message": "3000 is `development.api`: use `ports get development.api`"
    }
  ],
  "fixed": [],
  "errors": 1
}
"#,
        )
        .stderr("1 port is written out\n");
}

#[test]
fn what_is_no_port() {
    let sandbox = sandbox();
    sandbox.write(
        "x.nix",
        "{ lib, config, ... }: {\n  model = \"qwen:35b\"; user = \"1000:1000\"; image = \"postgres:16\";\n  \
         OnCalendar = \"*-*-* 02:30:00\"; at = \"16:30\"; log_length = 1000; version = \"3000\";\n  \
         ports = [ \"${toString config.ports.x}:8000\" ]; port = config.port + 1; maxPorts = 100;\n  \
         x = if config.port == 3000 then 1 else 2; y.port = f 3000; importPort = lib.mkOverride 50 null;\n  \
         # port = 3000;\n  hash = \"sha256:6379\"; transport = 5; options.port = mkOption { default = 80; };\n}\n",
    );
    sandbox.write("x.yaml", "image: redis:6379\nuser: \"1000:1000\"\ntimes:\n  - 16:30\ntimeout: 3000\n# localhost:3000\n");
    sandbox.write("yarn.lock", "resolved \"http://localhost:3000/x\"\n");
    sandbox.write("x.rs", "let x = Config { port: 3000 }; // localhost:3000\n");
    lint(&sandbox, &["x.nix", "x.yaml", "yarn.lock", "x.rs"]).code(0).stdout("").stderr("");
}

#[test]
fn every_form_of_nix() {
    let sandbox = sandbox();
    for (text, ports) in [
        ("{ services.a.port = 1; }", &[1][..]),
        ("services.a.webuiPort = lib.mkDefault 2;", &[2]),
        ("{ port = lib.mkIf config.x.enable (lib.mkForce 3); }", &[3]),
        ("{ port = lib.mkOverride 50 4; }", &[4]),
        ("{ port = if x then 5 else 6; }", &[5, 6]),
        ("{ port ? 7, ... }: port", &[7]),
        ("{ a = toString (cfg.port or 8); }", &[8]),
        ("{ environment.PORT = \"9\"; }", &[9]),
        ("{ PORT = toString 10; }", &[10]),
        ("let httpPort = 11; in httpPort", &[11]),
        (
            "{ networking.firewall = { allowedTCPPorts = [ 12 13 ] ++ x; allowedUDPPorts = [ 14 ]; }; }",
            &[12, 13, 14],
        ),
        ("{ allowedUDPPortRanges = [ { from = 15; to = 16; } ]; }", &[15, 16]),
        (
            "{ config.ExposedPorts.\"17/tcp\" = { }; b.ExposedPorts = { \"18/udp\" = { }; }; }",
            &[17, 18],
        ),
        (
            "{ ports = [ \"19:80\" \"127.0.0.1:20:80\" \"${toString x}:80\" \"21:${toString y}\" \"80\" ]; }",
            &[19, 20, 21],
        ),
        (
            "{ extraOptions = [ \"-p\" \"22:80\" \"--publish=23:80\" \"--port\" \"24\" ]; }",
            &[22, 23, 24],
        ),
        (
            "{ script = ''\n  # PORT=80\n  PORT=25 x --port 26 ''${A_PORT:-27} http://localhost:28\n''; }",
            &[25, 26, 27, 28],
        ),
        ("{ proxyPass = \"http://127.0.0.1:29/\"; Environment = [ \"PORT=30\" ]; }", &[29, 30]),
        ("{ listen = [ { addr = \"0.0.0.0\"; port = 31; } ]; ports = [ 32 ]; }", &[31, 32]),
    ] {
        sandbox.write("x.nix", text);
        let output = lint(&sandbox, &["--format", "json", "-q", "x.nix"]).code(1);
        let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        let found: Vec<u64> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["port"].as_u64().unwrap())
            .collect();
        assert_eq!(found, ports, "{text}");
        output.stderr("");
    }
}

#[test]
fn many_annotations_take_linear_time() {
    let sandbox = sandbox();
    let annotation = "# Port from lib/ports.nix: databases.nowhere = 6379\nA_PORT=6379\n";
    sandbox.write("x.env", annotation.repeat(10_000));
    let nested: Vec<String> = (0..1_000).map(|n| " ".repeat(n) + annotation).collect();
    sandbox.write("y.env", nested.concat());
    let output = lint(&sandbox, &["x.env", "y.env"]).code(1);
    output.stdout("x.env:1:48: error L002: [..]\n...\n").stderr("[..] annotations are wrong\n");
}

#[test]
fn no_registry_is_needed_where_there_is_no_port() {
    let sandbox = Sandbox::new();
    sandbox.write("x.yaml", "a: b\n");
    lint(&sandbox, &["x.yaml"]).code(0).stdout("").stderr("");
    sandbox.write("x.yaml", "port: 80\n");
    let output = lint(&sandbox, &["x.yaml"]).code(2).stdout("");
    assert!(output.stderr.starts_with("ports: there is no port registry in"), "{}", output.stderr);
}

#[test]
fn excuses() {
    let sandbox = sandbox();
    sandbox.write(
        "x.env",
        "A_PORT=3000 # ports:allow a test\n# ports:allow another one\nB_PORT=3000\nC_PORT=3000\n\
         D_PORT=3000 # ports:allow\n",
    );
    lint(&sandbox, &["x.env"])
        .code(1)
        .stdout("x.env:4:8: error L001: [..]\nx.env:5:8: error L001: [..]\n")
        .stderr(
            "ports: warning: x.env:5: `ports:allow` gives no reason, so it allows nothing\n\
             2 ports are written out\n",
        );
    let git = sandbox.git();
    sandbox.write("docs/a.md", "localhost:3000\n");
    sandbox.write("deep/x.md", "localhost:9999 and localhost:3000\n");
    drop(git.ok(["add", "--all"]));
    sandbox.write("lib/ports.toml", "allow = [\"*.env\", \"docs/**\", \"9000-9999\"]\n");
    lint(&sandbox, &[])
        .code(1)
        .stdout("deep/x.md:1:30: error L001: 3000 [..]\n")
        .stderr("1 port is written out\n");
    sandbox.write("lib/ports.toml", "[lint]\nallow = [\"*.env\", \"*.md\"]\n");
    lint(&sandbox, &["--all"]).code(0).stdout("").stderr("");
    sandbox.write("lib/ports.toml", "allow = [\"[\"]\n");
    let output = lint(&sandbox, &[]).code(2).stdout("");
    assert!(output.stderr.starts_with("ports: lib/ports.toml:1:10: `[`: "), "{}", output.stderr);
}

#[test]
fn annotations_are_held_against_the_registry() {
    let sandbox = sandbox();
    sandbox.write("pc.yaml", COMPOSE);
    lint(&sandbox, &["pc.yaml"]).code(0).stdout("").stderr("");
    sandbox.write(
        "pc.yaml",
        COMPOSE.replace("databases.redis", "databases.redi").replace("PORT: \"3000\"", "PORT: \"3001\"")
            + "  db:\n    # Port from lib/ports.nix: databases.postgresql = 5433\n    command: postgres -p 5433\n  \
               w:\n    # Port from lib/ports.nix: development.web = 4000\n    command: x --port 4000\n",
    );
    lint(&sandbox, &["pc.yaml"]).code(1).stdout(
        "pc.yaml:3:49: error L002: no port `databases.redi` in `lib/ports.nix`; did you mean `databases.redis`?\n\
         pc.yaml:6:50: error L004: 3000, which is `development.api`, is not in the lines below\n\
         pc.yaml:9:14: error L001: 3001 is not in `lib/ports.nix`: put it there, and use `ports get PATH`\n\
         pc.yaml:11:55: error L003: `databases.postgresql` is 5432, not 5433: `ports lint --fix-annotations` \
         writes it here and below\n\
         pc.yaml:14:50: error L002: `development.web` is 4000-4009, and an annotation is of one number\n",
    )
    .stderr("1 port is written out, 4 annotations are wrong\n");
}

#[test]
fn annotations_are_mended_together_with_what_is_below() {
    let sandbox = sandbox();
    let file = sandbox.write("pc.yaml", COMPOSE.replace('\n', "\r\n"));
    fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    sandbox.write("lib/ports.nix", REGISTRY.replace("6379", "16379").replace("3000", "80"));
    lint(&sandbox, &["--fix-annotations", "pc.yaml"])
        .code(0)
        .stdout(
            "pc.yaml:3:50: info L003: `databases.redis` was 6379 and is 16379 now\n\
             pc.yaml:6:50: info L003: `development.api` was 3000 and is 80 now\n",
        )
        .stderr("");
    let mended = COMPOSE.replace("6379", "16379").replace("3000", "80").replace('\n', "\r\n");
    assert_eq!(sandbox.read("pc.yaml"), mended);
    assert_eq!(fs_err::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    lint(&sandbox, &["--fix-annotations", "pc.yaml"]).code(0).stdout("").stderr("");
    // And back: every byte is as it was.
    sandbox.write("lib/ports.nix", REGISTRY);
    drop(lint(&sandbox, &["--fix-annotations", "pc.yaml"]).code(0));
    assert_eq!(sandbox.read("pc.yaml"), COMPOSE.replace('\n', "\r\n"));
    let left: Vec<_> = fs_err::read_dir(sandbox.work()).unwrap().collect();
    assert_eq!(left.len(), 2, "nothing is left behind: {left:?}");
}

#[test]
fn what_is_not_clear_is_not_mended() {
    let sandbox = sandbox();
    let annotation = "# Port from lib/ports.nix: databases.redis = ";
    for (text, mended) in [
        // The comment alone was forgotten.
        (
            format!("{annotation}6380\nA_PORT=6379\n"),
            Some(format!("{annotation}6379\nA_PORT=6379\n")),
        ),
        // The number alone was.
        (
            format!("{annotation}6379\nA_PORT=6380\n"),
            Some(format!("{annotation}6379\nA_PORT=6379\n")),
        ),
        // A number that is no port by its form, once.
        (format!("{annotation}6380\nx 6380\n"), Some(format!("{annotation}6379\nx 6379\n"))),
        (format!("{annotation}6380\nx 6380 6380\n"), None),
        (format!("{annotation}6379\nA_PORT=1 B_PORT=2\n"), None),
        (format!("{annotation}6380\nx\n"), None),
        (format!("{annotation}6380 # ports:allow for now\nA_PORT=6380\n"), None),
        // Two that want different things of one number.
        (
            format!("{annotation}1\n# Port from lib/ports.nix: development.api = 1\nA_PORT=1\n"),
            None,
        ),
        // Bytes that are not UTF-8 stay.
        (
            format!("{annotation}6380\nA_PORT=6380\n"),
            Some(format!("{annotation}6379\nA_PORT=6379\n")),
        ),
    ] {
        sandbox.write("x.env", [b"\xff\xfe\n", text.as_bytes()].concat());
        drop(lint(&sandbox, &["--fix-annotations", "x.env"]));
        let after = fs_err::read(sandbox.path("x.env")).unwrap();
        let expected = mended.unwrap_or_else(|| text.clone());
        assert_eq!(after, [b"\xff\xfe\n", expected.as_bytes()].concat(), "{text}");
    }
}

#[test]
fn a_link_stays_a_link_when_its_file_is_mended() {
    let sandbox = sandbox();
    sandbox.write("real/pc.yaml", COMPOSE.replace("6379", "1"));
    symlink("real/pc.yaml", sandbox.path("pc.yaml")).unwrap();
    drop(lint(&sandbox, &["--fix-annotations", "pc.yaml"]).code(0));
    assert_eq!(sandbox.read("real/pc.yaml"), COMPOSE);
    assert!(sandbox.path("pc.yaml").is_symlink());
    let conflict = lint(&sandbox, &["--staged", "--fix-annotations"]).code(2).stdout("");
    assert!(conflict.stderr.contains("cannot be used with"), "{}", conflict.stderr);
}

#[test]
fn staged_is_what_the_index_holds() {
    let sandbox = sandbox();
    let git = sandbox.git();
    sandbox.write("old.yaml", "port: 1111\n");
    git.commit_all("x");
    lint(&sandbox, &["--staged"]).code(0).stdout("").stderr("");
    sandbox.write("x.yaml", "port: 3000\n");
    sandbox.write("gone.yaml", "port: 3000\n");
    sandbox.write("b\nin.yaml", "port: 3000\n");
    drop(git.ok(["add", "--all"]));
    drop(git.ok(["rm", "--quiet", "--cached", "old.yaml"]));
    // On disk, everything is well: what is committed is not.
    sandbox.write("x.yaml", "port: ports get development.api\n");
    fs_err::remove_file(sandbox.path("gone.yaml")).unwrap();
    for folder in [sandbox.work(), sandbox.path("lib")] {
        let up = if folder == sandbox.work() { "" } else { "../" };
        let run = sandbox.run(env!("CARGO_BIN_EXE_ports")).args(["lint", "--staged"]).dir(folder);
        run.output()
            .code(1)
            .stdout(&format!(
                "{up}b\\nin.yaml:1:7: error L001: [..]\n{up}gone.yaml:1:7: error L001: [..]\n\
                 {up}x.yaml:1:7: error L001: [..]\n"
            ))
            .stderr("3 ports are written out\n");
    }
    // The other way round, too.
    lint(&sandbox, &["--all"])
        .code(1)
        .stdout("b\\nin.yaml:[..]\n")
        .stderr("1 port is written out\n");
}

#[test]
fn an_index_with_conflicts() {
    let sandbox = sandbox();
    let git = sandbox.git();
    sandbox.write("x.yaml", "a: 1\n");
    git.commit_all("base");
    drop(git.ok(["checkout", "--quiet", "-b", "other"]));
    sandbox.write("x.yaml", "port: 3000\n");
    git.commit_all("other");
    drop(git.ok(["checkout", "--quiet", "main"]));
    sandbox.write("x.yaml", "port: 5432\n");
    git.commit_all("main");
    let merge = git.run(["merge", "--quiet", "other"]).output();
    assert_eq!(merge.code, 1);
    lint(&sandbox, &["--staged"]).code(0).stdout("").stderr("");
    let all = lint(&sandbox, &["--all"]).code(1);
    all.stdout("x.yaml:2:7: error L001: 5432 [..]\nx.yaml:4:7: error L001: 3000 [..]\n")
        .stderr("2 ports are written out\n");
}

#[test]
fn files_that_are_not_text() {
    let sandbox = sandbox();
    let git = sandbox.git();
    sandbox.write("binary.yaml", b"port: 3000\n\0");
    sandbox.write("huge.yaml", "port: 3000\n".repeat(100_000));
    sandbox.write("long.yaml", format!("port: 3000{}\n", " ".repeat(20_000)));
    sandbox.write("latin.yaml", b"# \xe9\nport: 3000 # \xe9\n");
    sandbox.write("utf8.nix", "{ x = \"\u{e9}\"; /* \u{e9} */ port = 3000; }");
    sandbox.write("latin.nix", b"{ x = \"\xe9\"; port = 3000; }\n");
    sandbox.write(
        "broken.nix",
        "{ port = lib.mkDefault 3000; <<<<\n allowedTCPPorts = [ 443 5432 ];\n",
    );
    sandbox.write("bom.nix", "\u{feff}{ port = 3000; }");
    sandbox.write("crlf.env", "A=1\r\nPORT=3000\r\n");
    let odd = std::ffi::OsString::from_vec(b"\xff\x1b[31m.env".to_vec());
    sandbox.write(&odd, "PORT=3000\n");
    symlink("latin.yaml", sandbox.path("link.yaml")).unwrap();
    symlink("/nowhere", sandbox.path("dangling.yaml")).unwrap();
    drop(git.ok(["add", "--all"]));
    let expected = "bom.nix:1:11: error L001: 3000 [..]\n\
                    broken.nix:1:24: error L001: 3000 [..]\n\
                    broken.nix:2:22: error L001: 443 [..]\n\
                    broken.nix:2:26: error L001: 5432 [..]\n\
                    crlf.env:2:6: error L001: 3000 [..]\n\
                    latin.nix:1:19: error L001: 3000 [..]\n\
                    latin.yaml:2:7: error L001: 3000 [..]\n\
                    utf8.nix:1:27: error L001: 3000 [..]\n\
                    \u{fffd}\\u{1b}[31m.env:1:6: error L001: 3000 [..]\n";
    lint(&sandbox, &[]).code(1).stdout(expected).stderr("9 ports are written out\n");
    drop(git.ok(["-c", "core.quotePath=false", "status"]));
    lint(&sandbox, &["--staged"]).code(1).stdout(expected).stderr("9 ports are written out\n");
    // What is named must be there, and be a file.
    drop(sandbox.run("mkfifo").arg("pipe.env").output().code(0));
    let named =
        lint(&sandbox, &["no.yaml", "lib", "pipe.env", "link.yaml", "dangling.yaml"]).code(2);
    assert_eq!(named.stdout.matches("link.yaml:2:7: ").count(), 1);
    for what in ["no.yaml", "lib` is not a file", "pipe.env` is not a file", "dangling.yaml"] {
        assert!(named.stderr.contains(what), "{what}: {}", named.stderr);
    }
}

#[test]
fn submodules_and_what_is_gone_are_passed_over() {
    let sandbox = sandbox();
    let git = sandbox.git();
    sandbox.write("gone.yaml", "port: 3000\n");
    sandbox.write("now/a/folder.yaml", "port: 3000\n");
    drop(git.ok(["add", "--all"]));
    let entry = "160000,0123456789012345678901234567890123456789,sub.yaml";
    drop(git.ok(["update-index", "--add", "--cacheinfo", entry]));
    fs_err::remove_file(sandbox.path("gone.yaml")).unwrap();
    fs_err::remove_dir_all(sandbox.path("now")).unwrap();
    sandbox.write("now", "");
    fs_err::create_dir(sandbox.path("sub.yaml")).unwrap();
    lint(&sandbox, &["--all"]).code(0).stdout("").stderr("");
}

#[test]
fn outside_of_a_repository_files_have_to_be_named() {
    let sandbox = sandbox();
    let output = lint(&sandbox, &[]).code(2).stdout("");
    assert!(output.stderr.contains("not a git repository"), "{}", output.stderr);
    let alone = Sandbox::without_programs();
    let output = lint(&alone, &["--staged"]).code(2).stdout("");
    assert!(output.stderr.ends_with("hint: install git, or name the files\n"), "{}", output.stderr);
}

#[test]
fn the_registry_and_what_it_imports_may_hold_numbers() {
    let sandbox = sandbox();
    sandbox.write("lib/ports.nix", "{ dns = { port = 53; }; more = import ./more.nix; }");
    sandbox.write("lib/more.nix", "{ web = { port = 8080; }; }");
    sandbox.write("lib/other.nix", "{ web = { port = 8080; }; }");
    lint(&sandbox, &["lib/ports.nix", "lib/more.nix", "lib/other.nix"])
        .code(1)
        .stdout("lib/other.nix:1:18: error L001: 8080 is `more.web`: [..]\n")
        .stderr("1 port is written out\n");
}
