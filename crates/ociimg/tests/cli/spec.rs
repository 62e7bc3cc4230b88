//! `ociimg.toml`, and base images.

use super::*;

fn ociimg(sandbox: &Sandbox, args: &[&str]) -> Run {
    sandbox.run(env!("CARGO_BIN_EXE_ociimg")).args(args)
}

fn json(sandbox: &Sandbox, args: &[&str]) -> Value {
    let output = ociimg(sandbox, args).output().code(0);
    let value = serde_json::from_str(&output.stdout).unwrap();
    output.stderr("");
    value
}

const SPEC: &str = r#"
name = "ghcr.io/org/api"
tag = "v3"
platform = "linux/arm64"
created = "2024-05-06T07:08:09Z"
compress = { algo = "zstd", level = 3 }

[config]
entrypoint = ["/bin/api"]
env = { PORT = "${ports.web.api}", A = "1" }
exposed_ports = ["${ports.web.api}/tcp"]
user = "1000:1000"
healthcheck = { test = ["CMD", "/bin/api", "health"], interval = "30s" }

[[root]]
path = "site"
to = "/srv"

[[file]]
to = "/tmp"
type = "dir"
mode = "1777"

[[file]]
to = "/etc/passwd"
text = "root:x:0:0::/:/bin/sh\n"

[[perm]]
glob = "/srv{,/**}"
uid = 1000
gid = 1000

[[perm]]
glob = "/srv/bin/*"
caps = ["cap_net_bind_service=ep"]

[layers]
strategy = "single"

[annotations]
"org.opencontainers.image.source" = "https://example.org"
"#;

fn project() -> Sandbox {
    let sandbox = Sandbox::without_programs();
    sandbox.write("api/ociimg.toml", SPEC);
    sandbox.write("api/lib/ports.nix", "{ web = { api = 8123; }; }");
    sandbox.write("api/site/bin/serve", "#!/bin/sh");
    sandbox
}

#[test]
fn a_file_says_everything() {
    let sandbox = project();
    let plan = json(&sandbox, &["build", "--file", "api/ociimg.toml"]);
    assert_eq!(plan["name"], "ghcr.io/org/api");
    assert_eq!(plan["tag"], "v3");
    let config = &plan["config"];
    assert_eq!(config["architecture"], "arm64");
    assert_eq!(config["created"], "2024-05-06T07:08:09Z");
    assert_eq!(config["config"]["Env"], serde_json::json!(["A=1", "PORT=8123"]));
    assert_eq!(config["config"]["ExposedPorts"], serde_json::json!({"8123/tcp": {}}));
    assert_eq!(config["config"]["Healthcheck"]["Interval"], 30_000_000_000_u64);
    assert_eq!(plan["annotations"]["org.opencontainers.image.source"], "https://example.org");
    assert_eq!(plan["layers"].as_array().unwrap().len(), 1);
    // In its folder it is found, and flags are stronger.
    let args = ["build", "--tag", "v4", "--env", "PORT=1", "--arch", "amd64"];
    let output = ociimg(&sandbox, &args).dir(sandbox.path("api")).output().code(0);
    let other: Value = serde_json::from_str(&output.stdout).unwrap();
    output.stderr("");
    assert_eq!(other["layers"], plan["layers"]);
    assert_eq!(other["tag"], "v4");
    assert_eq!(other["config"]["architecture"], "amd64");
    assert_eq!(other["config"]["config"]["Env"], serde_json::json!(["A=1", "PORT=1"]));
    // What is in it, as a tar has it.
    let run = ociimg(&sandbox, &["build", "--file", "api/ociimg.toml", "-o", "api.tar"]);
    run.output().code(0).stderr("");
    let empty = ociimg(&sandbox, &["build", "--file", "empty.toml", "-o", "empty.tar"]);
    sandbox.write("empty.toml", "[[file]]\nto = '/x'\ntype = 'dir'\n");
    empty.output().code(0).stderr("");
    let output = ociimg(&sandbox, &["diff", "--json", "--files", "empty.tar", "api.tar"]).output();
    let output = output.code(1);
    let found: Value = serde_json::from_str(&output.stdout).unwrap();
    output.stderr("");
    let file = |path: &str| {
        let files = found["files"].as_array().unwrap();
        files.iter().find(|file| file["path"] == path).unwrap()["b"].clone()
    };
    assert_eq!(file("/tmp")["mode"], 0o1777);
    assert_eq!(file("/etc/passwd")["size"], 22);
    assert_eq!((&file("/srv")["uid"], &file("/srv/bin")["gid"]), (&1000.into(), &1000.into()));
    let caps = file("/srv/bin/serve")["capabilities"].clone();
    assert_eq!(caps, "0100000200040000000000000000000000000000");
}

#[test]
fn what_cannot_be_meant_is_named_with_its_place() {
    let sandbox = project();
    let fails = |text: &str, message: &str| {
        sandbox.write("api/bad.toml", text);
        let output = ociimg(&sandbox, &["build", "--file", "api/bad.toml"]).output().code(2);
        assert!(output.stderr.contains(message), "{text}: {}", output.stderr);
    };
    fails(
        "name = 'x'\nentrypoint = []\n",
        "bad.toml:2:1: unknown field `entrypoint`, expected one of",
    );
    fails("[config]\nenv = { A = '${ports.web.gone}' }\n", "web.gone");
    fails("[config]\nenv = { A = '${home}' }\n", "`${home}` is not known here");
    fails("[[perm]]\nglob = '['\n", "`[` is not a pattern");
    fails("[[perm]]\nuid = 1\n", "needs `glob` or `regex`");
    fails("[[perm]]\nglob = '/a'\nmode = '9'\n", "mode `9` must be octal");
    fails("[[perm]]\nglob = '/a'\ncaps = ['x']\n", "cannot read the capabilities `x`");
    fails("[[file]]\nto = 'x'\n", "cannot make `x`: its name must be absolute");
    fails("from = { archive = 'gone.tar' }\n", "there is nothing at");
    fails("compress = { algo = 'gzip', level = 9 }\n", "the levels are gzip 6 and zstd 3");
    fails("platform = 'arm64'\n", "is not OS/ARCH");
    fails("name = \n", "bad.toml:1:");
}

#[test]
fn a_base_image_is_inherited_whole() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("base/etc/os", "base");
    sandbox.write("top/bin/app", "app");
    let base = [
        "build",
        "base",
        "--arch",
        "amd64",
        "--entrypoint",
        "/bin/sh",
        "--cmd",
        "-l",
        "--env",
        "PATH=/bin",
        "--env",
        "A=1",
        "--label",
        "l=1",
        "--workdir",
        "/w",
        "--tag",
        "v1",
    ];
    let write = |extra: &[&str]| {
        ociimg(&sandbox, &[&base[..], extra].concat()).output().code(0).stderr("");
    };
    write(&["-o", "base.tar"]);
    write(&["-o", "oci:base.oci"]);
    write(&["--format", "docker-archive", "-o", "docker.tar"]);
    let top = ["build", "top", "--env", "A=2", "--env", "B=3", "--tag", "v2", "--from"];
    let plan = json(&sandbox, &[&top[..], &["base.tar"]].concat());
    let run = &plan["config"]["config"];
    assert_eq!(run["Entrypoint"], serde_json::json!(["/bin/sh"]));
    assert_eq!(run["Cmd"], serde_json::json!(["-l"]));
    assert_eq!(run["Env"], serde_json::json!(["PATH=/bin", "A=2", "B=3"]));
    assert_eq!((&run["WorkingDir"], &run["Labels"]["l"]), (&"/w".into(), &"1".into()));
    assert_eq!(plan["config"]["history"].as_array().unwrap().len(), 2);
    assert!(plan["layers"][0]["stored"]["member"].as_str().unwrap().starts_with("blobs/sha256/"));
    // Another program has other arguments.
    let other = json(&sandbox, &[&top[..], &["base.tar", "--entrypoint", "/bin/app"]].concat());
    assert_eq!(other["config"]["config"].get("Cmd"), None);
    // The same layers, from wherever they are taken.
    for from in ["oci:base.oci", "docker.tar"] {
        let same = json(&sandbox, &[&top[..], &[from]].concat());
        assert_eq!(same["config"], plan["config"], "{from}");
    }
    let digest = |from: &str, to: &str| {
        let output = ociimg(&sandbox, &[&top[..], &[from, "-o", to]].concat()).output().code(0);
        let digest = output.stdout.clone();
        output.stderr("");
        digest
    };
    assert_eq!(digest("base.tar", "x.tar"), digest("oci:base.oci", "oci:y"));
    ociimg(&sandbox, &["verify", "x.tar"]).output().code(0).stderr("");
    let output = ociimg(&sandbox, &["diff", "base.tar", "x.tar", "--files"]).output().code(1);
    output.stdout("file + /bin\nfile + /bin/app\n").stderr("");
    // A base that changed is found out.
    let mut bytes = fs::read(sandbox.path("docker.tar")).unwrap();
    let at = bytes.windows(8).rposition(|w| w == b"base\0\0\0\0").unwrap();
    bytes[at] = b'x';
    sandbox.write("docker.tar", bytes);
    let broken = [&top[..], &["docker.tar", "-o", "z.tar"]].concat();
    let output = ociimg(&sandbox, &broken).output().code(2);
    assert!(output.stderr.contains("cannot read a layer of"), "{}", output.stderr);
    assert!(!sandbox.path("z.tar").exists());
}
