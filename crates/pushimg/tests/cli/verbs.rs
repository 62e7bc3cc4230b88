//! Copies, indexes, tags, logins.

use oci::{Digest, Index};
use testkit::image::SmallImage;
use testkit::registry::{Auth, Registry};

use super::Bench;

#[test]
fn a_copy_is_the_same_to_the_byte() {
    let (bench, here, there) = (Bench::new(), Registry::start(), Registry::start());
    bench.push(&here).code(0).stderr("...");
    let (from, to) = (format!("{}/a/b:v1", here.host()), format!("{}/c/d:v2", there.host()));
    let digest = bench.digest_line();
    bench.run(["copy", "-j1", &from, &to]).output().code(0).stdout(&digest).stderr("...");
    assert_eq!(there.manifest("c/d", "v2"), here.manifest("a/b", "v1"));
    // Again nothing is moved, and a digest names the same image.
    there.forget_requests();
    let by_digest = format!("{}/a/b@{}", here.host(), bench.image.digest());
    bench.run(["copy", &by_digest, &to]).output().code(0).stdout(&digest).stderr("...");
    assert_eq!(there.body_bytes(), 0);
    // To a layout, and from there.
    bench.run(["copy", "-q", &to, "oci:out:v3"]).output().code(0).stdout(&digest).stderr("");
    bench.run(["digest", "oci:out:v3"]).output().code(0).stdout(&digest).stderr("");
    bench.run(["copy", "-q", "oci:out:v3", &from]).output().code(0).stdout(&digest).stderr("");
    let out = bench.run(["copy", &format!("{}/no:v1", here.host()), &to]).output().code(1);
    assert!(out.stderr.contains("there is no image"), "{}", out.stderr);
}

#[test]
fn a_copy_gives_the_login_to_its_target_alone() {
    let bench = Bench::new();
    let (here, there) = (Registry::start(), Registry::with_auth(Auth::basic("alice", "s3cret")));
    bench.push(&here).code(0).stderr("...");
    here.forget_requests();
    let from = format!("localhost:{}/a/b:v1", here.port());
    let run = bench.run(["copy", "-q", &from, &format!("{}/c:v1", there.host())]);
    let run = run.env("REGISTRY_USER", "alice").env("REGISTRY_PASSWORD", "s3cret");
    run.output().code(0).stdout(&bench.digest_line()).stderr("");
    assert!(here.received().iter().all(|one| one.authorization.is_none()));
}

#[test]
fn an_index_has_an_entry_for_each_platform() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let arm = String::from_utf8(bench.image.config.clone()).unwrap().replace("amd64", "arm64");
    let arm = SmallImage { config: arm.into_bytes(), ..bench.image.clone() };
    bench.sandbox.write("amd64.tar", bench.image.docker_archive(""));
    bench.sandbox.write("arm64.tar", arm.docker_archive(""));
    let reference = format!("{}/a/b:v1", registry.host());
    let args = ["index", "-q", &reference, "amd64.tar", "arm64.tar"];
    let out = bench.run(args).output().code(0);
    let (media_type, bytes) = registry.manifest("a/b", "v1").unwrap();
    assert_eq!(media_type, "application/vnd.oci.image.index.v1+json");
    assert_eq!(out.stdout, format!("{}\n", Digest::of(&bytes)));
    let index = Index::parse(&bytes).unwrap();
    let platforms: Vec<_> = index
        .manifests
        .iter()
        .map(|one| one.platform.as_ref().unwrap().architecture.as_str())
        .collect();
    assert_eq!(platforms, ["amd64", "arm64"]);
    bench.run(args).output().code(0).stdout(&out.stdout).stderr("");
    let out = bench.run(["index", &reference, "amd64.tar", "amd64.tar"]).output().code(2);
    assert!(out.stderr.contains("two images are for linux/amd64"), "{}", out.stderr);
}

#[test]
fn tags_are_listed_from_all_pages() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let reference = format!("{}/a/b:v1", registry.host());
    let args = ["-q", "image", &reference, "--tag=v2", "--tag=v3", "--tag=latest"];
    bench.run(args).output().code(0).stderr("");
    registry.set_page(3);
    let repository = format!("{}/a/b", registry.host());
    bench
        .run(["list-tags", &repository])
        .output()
        .code(0)
        .stdout("latest\nv1\nv2\nv3\n")
        .stderr("");
    let out = bench.run(["list-tags", &format!("{}/no", registry.host())]).output().code(1);
    assert!(out.stderr.contains("lists no tags"), "{}", out.stderr);
}

#[test]
fn delete_takes_all_tags_of_an_image_away() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let reference = format!("{}/a/b:v1", registry.host());
    bench.run(["-q", "image", &reference, "--tag=v2"]).output().code(0).stderr("");
    bench.run(["delete", &reference]).output().code(0).stdout(&bench.digest_line()).stderr("...");
    assert!(registry.tags("a/b").is_empty());
    let out = bench.run(["delete", &reference]).output().code(1).stdout("");
    assert!(out.stderr.contains("there is no image"), "{}", out.stderr);
}

#[test]
fn check_and_also() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let other = SmallImage::new(&[100_000, 5]);
    other.write_layout(&bench.sandbox.path("other"), "latest");
    let (one, two) = (format!("{}/a/b:v1", registry.host()), format!("{}/c/d:v1", registry.host()));
    let digests = format!("{}\n{}\n", bench.image.digest(), other.digest());
    let args = ["-qj1", "image", &one, "--also", "other", &two];
    bench.run(args).arg("--check").output().code(1).stdout(&digests).stderr("");
    assert_eq!(registry.body_bytes(), 0);
    registry.keep_repositories_apart();
    bench.run(args).output().code(0).stdout(&digests).stderr("");
    assert_eq!(registry.count("PUT", "/c/d/blobs/"), 2, "the layer that both have is mounted");
    bench.run(args).arg("--check").output().code(0).stdout(&digests).stderr("");
}

#[test]
fn a_login_is_tried_kept_used_and_forgotten() {
    let (bench, registry) = (Bench::new(), Registry::with_auth(Auth::token("alice", "s3cret")));
    let host = registry.host();
    let login = |password: &str| {
        bench.run(["login", &host, "-u", "alice", "--password-stdin"]).stdin(password).output()
    };
    let out = login("wr0ng").code(3).stdout("");
    assert!(!out.stderr.contains("wr0ng"), "{}", out.stderr);
    let file = bench.sandbox.home().join(".config/containers/auth.json");
    assert!(!file.exists());
    let said = format!("the login of `alice` for `{host}` is kept in `{}`\n", file.display());
    login("s3cret\n").code(0).stdout("").stderr(&said);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs_err::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    bench.push(&registry).code(0).stderr("...");
    bench.run(["logout", "-q", &host]).output().code(0).stdout("").stderr("");
    bench.run(["logout", "-q", &host]).output().code(1).stdout("").stderr("");
    bench.push(&registry).code(3).stdout("").stderr("...");
}

/// Puts a credential helper on PATH that keeps one login in a file.
fn helper(bench: &Bench, name: &str) {
    let script = "kept=\"$HOME/kept\"\n\
        case $1 in\n\
        get) read -r server; [ -f \"$kept\" ] && cat \"$kept\" && exit\n\
             echo 'credentials not found in native keychain'; exit 1;;\n\
        store) cat > \"$kept\";;\n\
        erase) rm \"$kept\";;\n\
        esac";
    bench.sandbox.program(&format!("docker-credential-{name}"), script);
}

#[test]
fn helpers_are_asked_as_docker_asks_them() {
    for kind in ["helpers", "store"] {
        let (bench, registry) = (Bench::new(), Registry::with_auth(Auth::basic("alice", "s3cret")));
        let host = registry.host();
        helper(&bench, "mine");
        let config = match kind {
            "helpers" => format!(r#"{{"credHelpers":{{"{host}":"mine"}},"other":1}}"#),
            _ => r#"{"credsStore":"mine","other":1}"#.to_owned(),
        };
        let file = bench.sandbox.home().join(".docker/config.json");
        fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        fs_err::write(&file, &config).unwrap();
        // It has nothing yet.
        bench.push(&registry).code(3).stdout("").stderr("...");
        let run = bench.run(["login", "-q", &host, "-u", "alice", "--password-stdin"]);
        run.stdin("s3cret").output().code(0).stdout("").stderr("");
        assert_eq!(fs_err::read_to_string(&file).unwrap(), config, "the helper keeps it");
        bench.push(&registry).code(0).stderr("...");
        bench.run(["logout", "-q", &host]).output().code(0).stdout("").stderr("");
        assert!(!bench.sandbox.home().join("kept").exists());
    }
}

#[test]
fn helpers_that_fail_or_are_missing_are_told() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let host = registry.host();
    bench.sandbox.write("auth.json", format!(r#"{{"credHelpers":{{"{host}":"mine"}}}}"#));
    let reference = format!("{host}/a/b");
    let run = || bench.run(["image", &reference, "--authfile", "auth.json"]);
    run().output().code(2).stdout("").stderr(
        "pushimg: there is no credential helper `mine` on PATH\n\
         hint: install `docker-credential-mine`, or log in by `REGISTRY_USER` and `REGISTRY_PASSWORD`\n",
    );
    bench.sandbox.program("docker-credential-mine", "echo locked; exit 3");
    run()
        .output()
        .code(2)
        .stdout("")
        .stderr("pushimg: `docker-credential-mine get` failed: locked\n");
    bench.sandbox.program("docker-credential-mine", "echo '{}'");
    let said = "pushimg: `docker-credential-mine get` did not answer with a login\n";
    run().output().code(2).stdout("").stderr(said);
    bench.sandbox.write("auth.json", format!(r#"{{"credHelpers":{{"{host}":"../x"}}}}"#));
    run().output().code(2).stdout("").stderr("pushimg: `../x` is no name of a credential helper\n");
}

#[test]
fn what_is_set_for_registries_is_heard() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let file = bench.sandbox.home().join(".config/containers/registries.conf");
    fs_err::create_dir_all(file.parent().unwrap()).unwrap();
    let text = format!(
        "unqualified-search-registries = [\"docker.io\"]\n\
         [[registry]]\nprefix = \"mirror.example/org\"\nlocation = \"{}/team\"\n\
         [[registry]]\nlocation = \"blocked.example\"\nblocked = true\n",
        registry.host()
    );
    fs_err::write(&file, text).unwrap();
    let run = bench.run(["-q", "image", "mirror.example/org/app:v1"]);
    run.output().code(0).stdout(&bench.digest_line()).stderr("");
    assert_eq!(registry.tags("team/app"), ["v1"]);
    bench
        .run(["image", "blocked.example/app:v1"])
        .output()
        .code(2)
        .stdout("")
        .stderr(&format!("pushimg: `blocked.example/app:v1` is blocked by `{}`\n", file.display()));
    fs_err::write(&file, "[[registry\n").unwrap();
    let out = bench.run(["image", "mirror.example/app:v1"]).output().code(2).stdout("");
    assert!(out.stderr.contains("is no list of registries"), "{}", out.stderr);
}

#[test]
fn progress_as_json_is_json() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let reference = format!("{}/a/b:v1", registry.host());
    let out = bench.run(["--progress=json", "image", &reference]).output().code(0);
    let events: Vec<serde_json::Value> =
        out.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(events.iter().filter(|event| event["type"] == "sent").count(), 4, "{}", out.stderr);
}
