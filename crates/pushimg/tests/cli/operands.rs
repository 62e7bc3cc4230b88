//! What may be typed, and what is said about the rest.

use testkit::registry::Registry;

use super::Bench;

#[test]
fn a_name_is_put_behind_the_registry_in_the_environment() {
    let (bench, registry) = (Bench::new(), Registry::start());
    for prefix in ["team", "team/sub/"] {
        let run = bench.run(["-q", "image", "api:v1"]);
        let run = run.env("REGISTRY", format!("{}/{prefix}", registry.host()));
        run.output().code(0).stdout(&bench.digest_line()).stderr("");
    }
    assert_eq!(registry.tags("team/api"), ["v1"]);
    assert_eq!(registry.tags("team/sub/api"), ["v1"]);
}

#[test]
fn a_lone_operand_is_where_to() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let archive = bench.image.oci_archive("latest");
    for (operands, name) in [
        (vec!["REF/one"], "one"),
        (vec!["-", "REF/two"], "two"),
        (vec!["push", "REF/three"], "three"),
        (vec!["push", "/dev/stdin", "REF/four"], "four"),
    ] {
        let operands = operands.iter().map(|text| text.replace("REF", &registry.host()));
        let run = bench.run(["-q"]).args(operands).stdin(archive.clone());
        run.output().code(0).stdout(&bench.digest_line()).stderr("");
        assert_eq!(registry.tags(name), ["latest"]);
    }
}

#[test]
fn without_operands_the_name_is_that_of_the_image() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let run = || bench.run(["-q"]).env("REGISTRY", format!("{}/org", registry.host()));
    let named = bench.image.docker_archive("api:v2");
    run().stdin(named).output().code(0).stderr("");
    assert_eq!(registry.tags("org/api"), ["v2"]);
    let nameless = bench.image.docker_archive("");
    run().stdin(nameless).output().code(2).stdout("").stderr(
        "pushimg: the image has no name, and no REF was given\n\
         hint: say where to: `pushimg SRC HOST/NAME:TAG`\n",
    );
}

#[test]
fn references_are_held_to_their_grammar() {
    let bench = Bench::new();
    for (reference, message) in [
        (
            "localhost:5000/Api",
            "repository `Api` has an upper-case letter, but registries accept lower case only",
        ),
        (
            "localhost:5000/api:",
            "tag `` must be up to 128 letters, digits or `_.-`, and not begin with `.` or `-`",
        ),
        (
            "localhost:5000/api@sha256:0",
            "digest `sha256:0` must have 64 lower-case hexadecimal digits after the colon",
        ),
        ("localhost:99999/api", "port `99999` must be a number from 1 to 65535"),
        ("", "image reference is empty"),
        ("https://ghcr.io/api", "`https:` is not a registry reference"),
        ("dir:/tmp/x", "`dir:` is not a registry reference"),
    ] {
        bench
            .run(["image", reference])
            .output()
            .code(2)
            .stdout("")
            .stderr(&format!("pushimg: `{reference}` is no image reference: {message}\n"));
    }
    bench.run(["image", "localhost:1/a", "--tag", "a b"]).output().code(2).stdout("").stderr(
        "pushimg: `a b` is no image reference: tag `a b` must be up to 128 letters, digits or \
         `_.-`, and not begin with `.` or `-`\n",
    );
    let digest = bench.image.digest();
    let reference = format!("localhost:1/a@{digest}");
    bench
        .run(["image", &reference, "--tag", "v1"])
        .output()
        .code(2)
        .stdout("")
        .stderr(&format!("pushimg: `--tag v1` cannot be given with the digest in `{reference}`\n"));
}

#[test]
fn a_name_without_a_registry_is_not_guessed() {
    let bench = Bench::new();
    bench.run(["image", "api:v1"]).output().code(2).stdout("").stderr(
        "pushimg: `api:v1` names no registry\n\
         hint: write `HOST/api:v1`, or set `REGISTRY` to a host, with a path if need be\n",
    );
    let run = bench.run(["image", "api:v1"]).env("REGISTRY", "ghcr.io/Org");
    run.output().code(2).stdout("").stderr(
        "pushimg: `REGISTRY` is `ghcr.io/Org`, which is no host with an optional path: repository \
         `Org/api` has an upper-case letter, but registries accept lower case only\n",
    );
}

#[test]
fn operands_that_look_swapped_are_refused() {
    let bench = Bench::new();
    bench.sandbox.write("result", "x");
    bench.run(["ghcr.io/org/api:v1", "result"]).output().code(2).stdout("").stderr(
        "pushimg: SRC and REF look swapped: there is a file `result`, and none `ghcr.io/org/api:v1`\n\
         hint: the source comes first: `pushimg result ghcr.io/org/api:v1`\n",
    );
    bench.run(["oci:out:v1", "oci:image"]).output().code(2).stdout("").stderr(
        "pushimg: SRC and REF look swapped: there is a file `oci:image`, and none `oci:out:v1`\n\
         hint: the source comes first: `pushimg oci:image oci:out:v1`\n",
    );
    bench.run(["result"]).output().code(2).stdout("").stderr(
        "pushimg: `result` is a file, and there is no REF to push it to\n\
         hint: say where to: `pushimg result HOST/NAME:TAG`\n",
    );
}

#[test]
fn other_sources_are_refused_with_the_command_that_works() {
    let bench = Bench::new();
    bench.run(["docker-daemon:api:v1", "localhost:1/api"]).output().code(2).stdout("").stderr(
        "pushimg: images are not read from a docker daemon\n\
         hint: pipe it: `docker save api:v1 | pushimg HOST/NAME:TAG`\n",
    );
    bench.run(["docker://ghcr.io/a", "localhost:1/api"]).output().code(2).stdout("").stderr(
        "pushimg: images are not read from `docker:`\n\
         hint: SRC is a file, `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE` or `-`\n",
    );
    for source in ["oci:", "oci:/", "docker-archive:", "oci-archive::x"] {
        let out = bench.run([source, "localhost:1/api"]).output().code(2).stdout("");
        assert!(out.stderr.starts_with("pushimg: "), "{}", out.stderr);
    }
}

#[test]
fn a_source_that_is_not_there_is_named() {
    let bench = Bench::new();
    fs_err::create_dir(bench.sandbox.path("folder")).unwrap();
    for (source, message) in [
        ("none", "there is nothing at `none`"),
        ("oci:none", "there is nothing at `none`"),
        ("docker-archive:none", "there is nothing at `none`"),
        ("folder", "`folder` is a folder, but no OCI layout: it has no `index.json`"),
    ] {
        let run = bench.run([source, "localhost:1/api"]);
        run.output().code(2).stdout("").stderr(&format!("pushimg: {message}\n"));
    }
}

#[test]
fn jobs_have_their_limits() {
    let bench = Bench::new();
    let out = bench.run(["-j0", "image", "localhost:1/api"]).output().code(2).stdout("");
    assert!(
        out.stderr.starts_with("pushimg: invalid value '0' for '--jobs <N>'"),
        "{}",
        out.stderr
    );
}

#[test]
fn what_would_change_a_digest_is_refused() {
    let bench = Bench::new();
    for (flag, value) in [("compress", "gzip"), ("format", "docker")] {
        let run = bench.run(["image", "localhost:1/api", &format!("--{flag}={value}")]);
        run.output().code(2).stdout("").stderr(&format!(
            "pushimg: `--{flag}` would change the digest of an image that has a manifest\n\
             hint: leave `--{flag}` out: it is for docker archives\n"
        ));
    }
}

#[test]
fn proxies_are_named_without_their_secrets() {
    let bench = Bench::new();
    let run = bench.run(["image", "registry.invalid/a"]).env("HTTPS_PROXY", "ftp://u:s3cret@h");
    run.output()
        .code(2)
        .stdout("")
        .stderr("pushimg: `HTTPS_PROXY` is not the URL of an http or https proxy\n");
}

#[test]
fn a_closed_stdout_is_no_error() {
    let bench = Bench::new();
    let script = format!("{} -q image oci:out | true", env!("CARGO_BIN_EXE_pushimg"));
    bench.sandbox.bash(&script).output().code(0).stdout("").stderr("");
}

#[test]
fn a_verb_comes_first() {
    let bench = Bench::new();
    let registry = Registry::start();
    let reference = format!("{}/a", registry.host());
    for args in
        [["--json", "digest", &reference], ["-n", "push", &reference], ["image", "digest", "x"]]
    {
        bench.run(args).output().code(2).stdout("").stderr(
            "pushimg: arguments of a push stand in front of a verb\n\
             hint: the verb comes first; a file named like one is written with `./` in front\n",
        );
    }
    bench.run(["-v", "digest", &reference]).output().code(1).stdout("").stderr("...");
}
