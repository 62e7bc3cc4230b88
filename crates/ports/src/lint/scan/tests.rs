use super::*;
use crate::lint::kind::Comments;

const NONE: [u16; 0] = [];

fn of(kind: Kind, text: &str) -> Vec<u16> {
    literals(&Page::new(text.as_bytes(), kind)).into_iter().map(|literal| literal.port).collect()
}

#[test]
fn hosts() {
    for line in [
        "curl http://localhost:3000/x",
        "curl 'localhost:3000'",
        "LISTEN=127.0.0.1:3000",
        "LISTEN=0.0.0.0:3000",
        "LISTEN=[::1]:3000",
        "LISTEN=127.0.0.53:3000",
        "redis://:pw@localhost:3000/0",
        "api.localhost:3000",
        "see http://localhost:3000.",
    ] {
        assert_eq!(of(Kind::Prose, line), [3000], "{line}");
        assert_eq!(of(Kind::Yaml, &format!("a: {line}")), [3000], "{line}");
    }
    for line in [
        "localhost3000",
        "localhost 3000",
        "mylocalhost:3000",
        "x-localhost:3000",
        "10.127.0.0.1:3000",
        "1127.0.0.1:3000",
        "localhost:3000x",
        "localhost:70000",
        "localhost:$PORT",
        "[::1]3000",
        "sha256:3000",
        "10.0.0.1:3000",
    ] {
        assert_eq!(of(Kind::Prose, line), NONE, "{line}");
    }
}

#[test]
fn options() {
    for line in [
        "redis-server --port 6379",
        "redis-server --port=6379",
        "redis-server --port \"6379\"",
        "redis-server --port   '6379' --x",
        "vite --web-port 6379",
        "prometheus -port=6379",
        "[\"redis-server\", \"--port\", \"6379\"]",
        "[\"--port=6379\"]",
        "java -Dserver.port=6379 -jar x",
        "{\"dev\": \"next dev --port 6379\"}",
        "`--port 6379`",
    ] {
        assert_eq!(of(Kind::Code(Comments::None), line), [6379], "{line}");
    }
    for line in [
        "git import --support 6379",
        "--port 6379abc",
        "--port-range 6379",
        "--transport 6379",
        "--port-6379",
        "--port",
        "--port 6379.5",
        "-q 6379",
        "--timeout 6379",
    ] {
        assert_eq!(of(Kind::Code(Comments::None), line), NONE, "{line}");
    }
}

#[test]
fn flags_of_programs() {
    for line in [
        "command: postgres -D /tmp/pgdata -p 5432",
        "pg_isready -p 5432 -h x",
        "psql -p5432",
        "psql -h x \\\n  -U y \\\n  -p 5432",
        "ssh -p 5432 host",
        "mysql -P 5432",
        "[\"psql\", \"-p\", \"5432\"]",
    ] {
        assert_eq!(of(Kind::Script, line), [5432], "{line}");
    }
    for line in [
        "mkdir -p 700",
        "cargo test -p 5432",
        "mysql -p 5432",
        "psql x; mkdir -p 5432",
        "docker run -p 5432 x",
        "psql\nmkdir -p 5432",
        "kill -p 5432",
    ] {
        assert_eq!(of(Kind::Script, line), NONE, "{line}");
    }
}

#[test]
fn settings() {
    for line in
        ["PORT: \"3000\"", "PORT=3000", "API_PORT='3000'", "export PORT=3000 # c", "PORT = 3000"]
    {
        for kind in [Kind::Yaml, Kind::Config, Kind::Script, Kind::Prose, Kind::Embedded] {
            assert_eq!(of(kind, line), [3000], "{line} {kind:?}");
        }
    }
    for line in [
        "port: 3000",
        "http_get: { host: x, port: 3000 }",
        "\"port\":3000,",
        "{\"port\": \"3000\"}",
        "port = 3000",
        "webuiPort: 3000",
        "server.port=3000",
        "port := \"3000\"",
        "{\\\"port\\\": 3000}",
        "${SERVER_PORT:3000}",
        "- port: 3000",
    ] {
        assert_eq!(of(Kind::Yaml, line), [3000], "{line}");
        let prose = if line.contains("PORT") { vec![3000] } else { vec![] };
        assert_eq!(of(Kind::Prose, line), prose, "{line}");
    }
    for line in [
        "transport: 3000",
        "support: 3000",
        "ports: 3000",
        "port: x3000",
        "port: 3000 and more words",
        "port == 3000",
        "$PORT = 3000",
        "port != 3000",
        "port:3000",
        "port: 0",
        "timeout-minutes: 8080",
        "version: \"3000\"",
        "# PORT=3000",
        "port: 3000.5",
        "SUPPORT=3000",
        "log_length: 3000",
        "serial_port: 3",
    ] {
        assert_eq!(of(Kind::Yaml, line), NONE, "{line}");
    }
}

#[test]
fn members_of_enumerations_are_none() {
    let code = Kind::Code(Comments::Slashes);
    assert_eq!(of(code, "enum A { IFLA_PORT = 4, B_PORT = 5, }"), NONE);
    assert_eq!(of(code, "const PORT = 3000;"), [3000]);
}

#[test]
fn defaults_of_variables() {
    for line in [
        "${X_PORT:-3000}",
        "${X_PORT-3000}",
        "${X_PORT:=3000}",
        "${X_PORT:-\"3000\"}",
        "a${PORT:-3000}b",
    ] {
        let found = literals(&Page::new(line.as_bytes(), Kind::Prose));
        assert!(
            matches!(&*found, [Literal { port: 3000, form: Form::DefaultOf(name), .. }] if name.ends_with("PORT")),
            "{line}"
        );
    }
    for line in ["${X:-3000}", "${X_PORT:+3000}", "X_PORT:-3000", "${X_PORT:-3000x}"] {
        assert_eq!(of(Kind::Prose, line), NONE, "{line}");
    }
}

#[test]
fn mappings() {
    for line in [
        "docker run -p 3000:3001 x",
        "docker run --publish 3000:3001 x",
        "podman run --publish=3000:3001/udp x",
        "docker run \\\n -p 127.0.0.1:3000:3001 \\\n x",
        "docker run -p 10.1.2.3:3000:3001 x",
        "docker run -p 3000:$PORT x",
        "docker run -p3000:3001 x",
        "kubectl port-forward svc/x 3000:3001",
    ] {
        assert_eq!(of(Kind::Script, line), [3000], "{line}");
    }
    assert_eq!(of(Kind::Script, "docker run -p 3000-3005:4000-4005 x"), [3000, 3005]);
    let list = "x:\n  ports:\n    - \"3000:80\"\n    # more\n    - 3001:81/tcp\n    - '127.0.0.1:3002:82'\n    - 83\n  user:\n    - \"1000:1000\"\n";
    assert_eq!(of(Kind::Yaml, list), [3000, 3001, 3002]);
    assert_eq!(of(Kind::Yaml, "ports:\n- 3000:80\n- 3001:80\nusers:\n- 1:1\n"), [3000, 3001]);
    assert_eq!(of(Kind::Yaml, "ports: [\"3000:80\", \"3001:81\"]"), [3000, 3001]);
    assert_eq!(of(Kind::Yaml, "users: [\"3000:80\", \"3001:81\"]"), NONE);
    let alone = literals(&Page::new(b"  - \"3000:80\"", Kind::Yaml));
    assert!(matches!(&*alone, [Literal { form: Form::IfRegistered, port: 3000, .. }]));
    for line in [
        "user: \"1000:1000\"",
        "image: postgres:16",
        "time: 16:30",
        "at: \"02:30:00\"",
        "ports: 1:2:3",
        "chown 1000:1000 x",
        "--user 1000:1000",
        "model: qwen:35",
        "ratio: 16:9",
    ] {
        assert_eq!(of(Kind::Yaml, line), NONE, "{line}");
    }
}

#[test]
fn images_and_urls() {
    assert_eq!(of(Kind::Json, "{\"ExposedPorts\": {\"8080/tcp\": {}}}"), [8080]);
    assert_eq!(of(Kind::Yaml, "- \"x:3000/tcp\""), NONE);
    for line in
        ["DATABASE_URL=postgres://u:p@db.internal:5432/x", "http://$HOST:5432", "http://h:5432?x"]
    {
        let found = literals(&Page::new(line.as_bytes(), Kind::Config));
        assert!(matches!(&*found, [Literal { port: 5432, form: Form::Remote, .. }]), "{line}");
    }
    for line in
        ["http://user:5432@host/x", "http://h/a:5432", "ghcr.io/x/y:5432", "git@host:5432/x"]
    {
        assert_eq!(of(Kind::Config, line), NONE, "{line}");
    }
}

#[test]
fn a_hostile_page_takes_linear_time() {
    for unit in ["- 1:1\n", "-p 1 \\\n", "p ", "1 ", "${X:-1", "://", ":1"] {
        let text = unit.repeat((1 << 18) / unit.len());
        drop(of(Kind::Yaml, &text));
        drop(of(Kind::Script, &text));
    }
}
