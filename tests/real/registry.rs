//! Pushing to Debian's docker-registry, and what skopeo makes of it.

use serde_json::Value;
use testkit::image::SmallImage;
use testkit::{Sandbox, Server, require};

use crate::support;

const LOGIN: (&str, &str) = ("alice", "s3cret:pa ss");

/// A sandbox with an image in every form.
fn bed() -> (Sandbox, SmallImage) {
    require("skopeo", "apt-get install skopeo");
    let sandbox = support::bed();
    let image = SmallImage::new(&[3_000_000, 200_000, 70_000, 5_000, 0]);
    image.write_layout(&sandbox.path("layout"), "latest");
    sandbox.write("oci.tar", image.oci_archive("latest"));
    sandbox.write("docker.tar", image.docker_archive("app:v1"));
    (sandbox, image)
}

/// Runs a script that must succeed, and returns what it prints.
fn sh(sandbox: &Sandbox, script: &str) -> String {
    sandbox.bash(script).output().code(0).stdout
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_is_pushed_is_what_skopeo_sees() {
    let (sandbox, image) = bed();
    let registry = Server::docker_registry(&sandbox, None);
    let host = registry.address();
    for (number, command) in [
        "pushimg layout REF",
        "pushimg oci:layout REF",
        "pushimg oci.tar REF",
        "pushimg REF < oci.tar",
        "gzip -c oci.tar | pushimg REF",
        "xz -0 -c oci.tar | pushimg REF",
        "zstd -q -c oci.tar | pushimg - REF",
        "bzip2 -c oci.tar | pushimg docker://REF",
        "pushimg docker.tar REF",
        "gzip -c docker.tar | pushimg --compress zstd REF",
        "cat docker.tar | pushimg --compress none REF",
        "pushimg --format docker docker.tar REF",
    ]
    .iter()
    .enumerate()
    {
        let reference = format!("{host}/team/app{number}:v1");
        let digest = sh(&sandbox, &command.replace("REF", &reference));
        if command.contains("oci.tar") || command.contains("layout") {
            assert_eq!(digest, format!("{}\n", image.digest()), "{command}");
        }
        // The same again has nothing to send.
        let again = sandbox.bash(&command.replace("REF", &reference)).output().code(0);
        let said = format!("{reference} is there already: nothing to send\n");
        again.stdout(&digest).stderr(&said);
        let seen = sh(&sandbox, &format!("skopeo inspect --tls-verify=false docker://{reference}"));
        assert_eq!(json(&seen)["Digest"], digest.trim_end(), "{command}");
        // Everything is there, and each blob is what it should be.
        let copy =
            format!("skopeo copy -q --src-tls-verify=false docker://{reference} oci:copy:{number}");
        sh(&sandbox, &copy);
        let config = sh(&sandbox, &format!("skopeo inspect --config --raw oci:copy:{number}"));
        assert_eq!(config.as_bytes(), image.config, "{command}");
        let asked = sh(&sandbox, &format!("pushimg digest {reference}"));
        assert_eq!(asked, digest, "{command}");
    }
}

#[test]
fn what_skopeo_pushes_is_seen_alike() {
    let (sandbox, _) = bed();
    let registry = Server::docker_registry(&sandbox, None);
    let reference = format!("{}/app:v1", registry.address());
    sh(
        &sandbox,
        &format!(
            "skopeo copy -q --insecure-policy --dest-tls-verify=false docker-archive:docker.tar docker://{reference}"
        ),
    );
    let theirs =
        json(&sh(&sandbox, &format!("skopeo inspect --tls-verify=false docker://{reference}")));
    let ours = json(&sh(&sandbox, &format!("pushimg inspect {reference}")));
    let keys = [
        "Name",
        "Digest",
        "RepoTags",
        "DockerVersion",
        "Labels",
        "Architecture",
        "Os",
        "Layers",
        "Env",
    ];
    for key in keys {
        assert_eq!(ours[key], theirs[key], "{key}");
    }
    for kind in ["--raw", "--config"] {
        // skopeo prints the config byte for byte with both.
        let raw = if kind == "--raw" { "" } else { "--raw" };
        let theirs = sh(
            &sandbox,
            &format!("skopeo inspect {kind} {raw} --tls-verify=false docker://{reference}"),
        );
        let ours = sh(&sandbox, &format!("pushimg inspect {kind} {reference}"));
        assert_eq!(ours.trim_end(), theirs.trim_end(), "{kind}");
    }
    let copy = format!("skopeo copy -q --src-tls-verify=false docker://{reference} oci:theirs:v1");
    sh(&sandbox, &copy);
    // A layout of theirs is pushed as it is.
    let digest = sh(&sandbox, "skopeo inspect oci:theirs:v1 --format '{{.Digest}}'");
    let pushed = sh(&sandbox, &format!("pushimg -q oci:theirs:v1 {}/copy:v1", registry.address()));
    assert_eq!(pushed, digest);
}

#[test]
fn layouts_of_ours_are_layouts_to_skopeo() {
    let (sandbox, image) = bed();
    sh(&sandbox, "pushimg -q docker.tar oci:out:v1 && pushimg -q oci.tar oci:out:v2");
    let seen = sh(&sandbox, "skopeo inspect oci:out:v2 --format '{{.Digest}}'");
    assert_eq!(seen.trim_end(), image.digest());
    sh(&sandbox, "skopeo copy -q oci:out:v1 oci-archive:again.tar:v1");
    let seen = sh(&sandbox, "skopeo inspect --config --raw oci:out:v1");
    assert_eq!(seen.as_bytes(), image.config);
}

#[test]
fn a_registry_with_passwords_takes_ours_and_those_of_skopeo_login() {
    let (sandbox, image) = bed();
    let registry = Server::docker_registry(&sandbox, Some(LOGIN));
    let host = registry.address();
    let push = |name: &str| {
        let run = sandbox.run("pushimg").args(["-q", "layout", &format!("{host}/{name}:v1")]);
        (run, format!("{}\n", image.digest()))
    };
    let (run, digest) = push("variables");
    let run = run.env("REGISTRY_USER", LOGIN.0).env("REGISTRY_PASSWORD", LOGIN.1);
    run.output().code(0).stdout(&digest).stderr("");
    let (run, digest) = push("stdin");
    let run = run.args(["--username", LOGIN.0, "--password-stdin"]).stdin(LOGIN.1);
    run.output().code(0).stdout(&digest).stderr("");
    let login = format!("skopeo login --tls-verify=false -u {} --password-stdin {host}", LOGIN.0);
    let login = sandbox.bash(&login).stdin(LOGIN.1).env("REGISTRY_AUTH_FILE", sandbox.path("auth"));
    let _said = login.output().code(0);
    let (run, digest) = push("file");
    let run = run.env("REGISTRY_AUTH_FILE", sandbox.path("auth"));
    run.output().code(0).stdout(&digest).stderr("");
    let (run, _) = push("wrong");
    let run = run.env("REGISTRY_USER", LOGIN.0).env("REGISTRY_PASSWORD", "wrong");
    let out = run.output().code(3).stdout("");
    assert!(out.stderr.contains("the login of `alice` is not accepted"), "{}", out.stderr);
    let (run, _) = push("nobody");
    let out = run.output().code(3).stdout("");
    assert!(out.stderr.contains("wants a login, and there is none for it"), "{}", out.stderr);
}

#[test]
fn a_registry_with_tls_is_spoken_to_by_its_certificate() {
    require("openssl", "apt-get install openssl");
    let program = require("docker-registry", "apt-get install docker-registry");
    let (sandbox, image) = bed();
    sh(
        &sandbox,
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=test \
         -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1 2>/dev/null",
    );
    let registry = Server::start(&sandbox, "docker-registry-tls", |address| {
        let config = format!(
            "version: 0.1\nlog: {{level: warn, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: {address}, secret: x, tls: {{certificate: {}, key: {}}}}}\n",
            sandbox.path("storage").display(),
            sandbox.path("cert.pem").display(),
            sandbox.path("key.pem").display()
        );
        let config = sandbox.write("tls.yml", config);
        sandbox.run(&program).arg("serve").arg(config)
    });
    let reference = format!("{}/app:v1", registry.address());
    let push = || sandbox.run("pushimg").args(["-q", "layout", &reference]);
    let trusted = push().env("SSL_CERT_FILE", sandbox.path("cert.pem"));
    trusted.output().code(0).stdout(&format!("{}\n", image.digest())).stderr("");
    let out = push().output().code(4).stdout("");
    assert!(
        out.stderr.contains("no answer: TLS failed: invalid peer certificate"),
        "{}",
        out.stderr
    );
    assert!(out.stderr.contains("hint: name the certificates to trust in `SSL_CERT_FILE`"));
}

#[test]
fn a_pipe_from_ociimg_makes_the_digest_that_its_layout_has() {
    let (sandbox, _) = bed();
    let registry = Server::docker_registry(&sandbox, None);
    sandbox.write("site/index.html", "hello ".repeat(50_000));
    let build = "ociimg build ./site --name site --tag v1 --entrypoint /bin/serve";
    sh(&sandbox, &format!("{build} -o oci:out:v1"));
    let layout = sh(&sandbox, "pushimg digest oci:out:v1");
    let pushed = sh(&sandbox, &format!("{build} | REGISTRY={}/org pushimg -q", registry.address()));
    assert_eq!(pushed, layout);
    let seen =
        format!("skopeo inspect --tls-verify=false docker://{}/org/site:v1", registry.address());
    assert_eq!(json(&sh(&sandbox, &seen))["Digest"], layout.trim_end());
}
