//! Logging in: what is sent, to whom, and what is said when it does not help.

use testkit::registry::{Act, Answer, Auth, Fault, Registry};

use super::Bench;

const PASSWORD: &str = "s3cret:pa ss";

fn locked() -> Registry {
    Registry::with_auth(Auth::basic("alice", PASSWORD))
}

fn entry(host: &str) -> String {
    // alice:s3cret:pa ss
    format!(r#"{{"auths":{{"{host}":{{"auth":"YWxpY2U6czNjcmV0OnBhIHNz"}}}}}}"#)
}

#[test]
fn variables_log_in_and_nothing_is_sent_before_it_is_asked_for() {
    let (bench, registry) = (Bench::new(), locked());
    let reference = format!("{}/a/b:v1", registry.host());
    bench
        .run(["-q", "image", &reference])
        .env("REGISTRY_USER", "alice")
        .env("REGISTRY_PASSWORD", PASSWORD)
        .output()
        .code(0)
        .stdout(&bench.digest_line())
        .stderr("");
    let received = registry.received();
    // The look for TLS, and the first request.
    assert!(received[..2].iter().all(|one| one.authorization.is_none()));
    assert!(received[2..].iter().all(|one| one.authorization.is_some()));
    assert_eq!(registry.tags("a/b"), ["v1"]);
}

#[test]
fn flags_log_in() {
    let bench = Bench::new();
    bench.sandbox.write("password", format!("{PASSWORD}\n"));
    for by_stdin in [true, false] {
        let registry = locked();
        let reference = format!("{}/a/b:v1", registry.host());
        let run = bench.run(["-q", "image", &reference, "-u", "alice"]);
        let run = if by_stdin {
            run.arg("--password-stdin").stdin(format!("{PASSWORD}\r\n"))
        } else {
            run.arg("--password-file").arg("password")
        };
        // Flags win over variables.
        let run = run.env("REGISTRY_USER", "bob").env("REGISTRY_PASSWORD", "wrong");
        run.output().code(0).stdout(&bench.digest_line()).stderr("");
    }
}

#[test]
fn files_log_in_in_their_order() {
    for place in [
        "home/.config/containers/auth.json",
        "home/.docker/config.json",
        "run/containers/auth.json",
        "docker/config.json",
        "own.json",
        "flag.json",
    ] {
        let (bench, registry) = (Bench::new(), locked());
        let root = bench.sandbox.root().to_owned();
        let path = root.join(place);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, entry(&registry.host())).unwrap();
        let reference = format!("{}/a/b:v1", registry.host());
        let run = bench.run(["-q", "image", &reference]);
        let run = match place {
            "run/containers/auth.json" => run.env("XDG_RUNTIME_DIR", root.join("run")),
            "docker/config.json" => run.env("DOCKER_CONFIG", root.join("docker")),
            "own.json" => run.env("REGISTRY_AUTH_FILE", &path),
            "flag.json" => run.arg("--authfile").arg(&path).env("REGISTRY_AUTH_FILE", "/nowhere"),
            _ => run,
        };
        run.output().code(0).stdout(&bench.digest_line()).stderr("");
    }
}

#[test]
fn the_longest_name_in_a_file_is_taken() {
    let (bench, registry) = (Bench::new(), locked());
    let host = registry.host();
    let file = format!(
        r#"{{"auths":{{
            "{host}":{{"auth":"Ym9iOndyb25n"}},
            "{host}/a":{{"auth":"YWxpY2U6czNjcmV0OnBhIHNz"}},
            "{host}/a/c":{{"auth":"Ym9iOndyb25n"}},
            "https://other/v1/":{{}}
        }}}}"#
    );
    let file = bench.sandbox.write("auth.json", file);
    let run = bench.run(["-q", "image", &format!("{host}/a/b")]).env("REGISTRY_AUTH_FILE", &file);
    run.output().code(0).stdout(&bench.digest_line()).stderr("");
    let run = bench.run(["-q", "image", &format!("{host}/c")]).env("REGISTRY_AUTH_FILE", &file);
    let out = run.output().code(3).stdout("");
    assert!(out.stderr.contains("the login of `bob` is not accepted"), "{}", out.stderr);
}

#[test]
fn no_login_is_told_with_what_to_do() {
    let (bench, registry) = (Bench::new(), locked());
    let host = registry.host();
    bench.push(&registry).code(3).stdout("").stderr(&format!(
        "pushimg: GET http://{host}/v2/a/b/manifests/v1: 401 Unauthorized: UNAUTHORIZED: \
         authentication required: `{host}` wants a login, and there is none for it\n\
         hint: set `REGISTRY_USER` and `REGISTRY_PASSWORD`, or pass `--username` and \
         `--password-stdin`\n"
    ));
    assert_eq!(registry.count("GET", "/manifests/"), 1);
}

#[test]
fn a_wrong_password_is_tried_once_and_never_shown() {
    let (bench, registry) = (Bench::new(), locked());
    let host = registry.host();
    let run = bench.run(["-vv", "image", &format!("{host}/a/b:v1")]);
    let run = run.env("REGISTRY_USER", "alice").env("REGISTRY_PASSWORD", "wr0ng");
    let out = run.output().code(3).stdout("");
    assert!(
        out.stderr.ends_with(&format!(
            "pushimg: GET http://{host}/v2/a/b/manifests/v1: 401 Unauthorized: UNAUTHORIZED: \
             authentication required: the login of `alice` is not accepted\n\
             hint: check the user name and the password or token\n"
        )),
        "{}",
        out.stderr
    );
    assert!(!out.stderr.contains("wr0ng"));
    assert!(!out.stderr.contains("YWxpY2U6"), "nor in base64: {}", out.stderr);
    assert_eq!(registry.count("GET", "/manifests/"), 2);
}

#[test]
fn variables_stay_with_the_registry_that_they_are_for() {
    let (bench, registry) = (Bench::new(), locked());
    let run = bench.run(["image", &format!("{}/a/b:v1", registry.host())]);
    let run = run.env("REGISTRY", "ghcr.io/org").env("REGISTRY_USER", "alice");
    let out = run.env("REGISTRY_PASSWORD", PASSWORD).output().code(3).stdout("");
    assert!(out.stderr.contains("there is none for it"), "{}", out.stderr);
    assert!(registry.received().iter().all(|one| one.authorization.is_none()));
}

#[test]
fn a_token_is_fetched_once_for_all_threads() {
    let (bench, registry) =
        (Bench::with(&[70_000; 12]), Registry::with_auth(Auth::token("alice", PASSWORD)));
    let reference = format!("{}/a/b:v1", registry.host());
    let run = bench.run(["-qj8", "image", &reference]).env("REGISTRY_USER", "alice");
    let run = run.env("REGISTRY_PASSWORD", PASSWORD);
    run.output().code(0).stdout(&bench.digest_line()).stderr("");
    assert_eq!(registry.count("GET", "/token"), 1);
    let received = registry.received();
    let token = received.iter().find(|one| one.path == "/token").unwrap();
    assert_eq!(token.query, "service=test&scope=repository%3Aa%2Fb%3Apull%2Cpush&account=alice");
}

#[test]
fn a_token_that_runs_out_is_fetched_again() {
    let bench = Bench::new();
    let registry = Registry::with_auth(Auth::token("alice", PASSWORD));
    let challenge = format!("Bearer realm=\"http://{}/token\",service=\"test\"", registry.host());
    let denied =
        Answer::error(401, "UNAUTHORIZED", "expired").header("WWW-Authenticate", challenge);
    for (method, part) in [("PUT", "/blobs/uploads/"), ("PUT", "/manifests/"), ("POST", "")] {
        registry.fault(Fault::on(method, part, Act::AnswerEarly(denied.clone())).times(1));
    }
    let reference = format!("{}/a/b:v1", registry.host());
    let run = bench.run(["-qj1", "image", &reference]).env("REGISTRY_USER", "alice");
    let run = run.env("REGISTRY_PASSWORD", PASSWORD);
    run.output().code(0).stdout(&bench.digest_line()).stderr("");
    assert_eq!(registry.count("GET", "/token"), 4);
}

#[test]
fn a_wrong_password_for_a_token_is_told() {
    let (bench, registry) = (Bench::new(), Registry::with_auth(Auth::token("alice", PASSWORD)));
    let host = registry.host();
    let run = bench.run(["image", &format!("{host}/a/b")]).env("REGISTRY_USER", "alice");
    run.env("REGISTRY_PASSWORD", "wr0ng").output().code(3).stdout("").stderr(&format!(
        "pushimg: GET http://{host}/token?…: 401 Unauthorized: UNAUTHORIZED: wrong password: the \
         login of `alice` is not accepted\n\
         hint: check the user name and the password or token\n"
    ));
}

#[test]
fn challenges_that_cannot_be_met_are_told() {
    let start = "pushimg: GET http://HOST/v2/a/b/manifests/v1:";
    for (challenge, message) in [
        (
            "Negotiate, Digest realm=x",
            "it wants a login by `negotiate`, `digest`, but only Basic and Bearer are supported",
        ),
        ("", "401 without a word on how to log in"),
        ("Bearer service=x", "the place to log in, ``, cannot be used: it is empty"),
        (
            "Bearer realm=\"ldap://x?secret\"",
            "the place to log in, `ldap://x`, cannot be used: it is no http or https URL",
        ),
        (
            "Bearer realm=\"http://10.0.0.1/token?secret\"",
            "the place to log in, `http://10.0.0.1/token`, cannot be used: it is a private \
             address of another host",
        ),
    ] {
        let (bench, registry) = (Bench::new(), Registry::start());
        let answer = Answer::new(401).header("WWW-Authenticate", challenge);
        registry.fault(Fault::on("GET", "/manifests/", Act::Answer(answer)));
        let start = start.replace("HOST", &registry.host());
        bench.push(&registry).code(3).stdout("").stderr(&format!("{start} {message}\n"));
    }
}

#[test]
fn a_token_answer_without_a_token_is_told() {
    for body in ["", "{}", "[]", r#"{"token":""}"#, r#"{"token":"a b\r\nX: y"}"#, "<html>"] {
        let bench = Bench::new();
        let registry = Registry::start();
        let host = registry.host();
        let challenge = format!("Bearer realm=\"http://{host}/v2/token\"");
        let answer = Answer::new(401).header("WWW-Authenticate", challenge);
        registry.fault(Fault::on("GET", "/manifests/", Act::Answer(answer)));
        let token = Answer::new(200).body(body.as_bytes().to_vec());
        registry.fault(Fault::on("GET", "/v2/token", Act::Answer(token)));
        bench
            .push(&registry)
            .code(3)
            .stdout("")
            .stderr(&format!("pushimg: GET http://{host}/v2/token?…: the answer holds no token\n"));
    }
}

#[test]
fn half_a_login_is_a_mistake() {
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str, &'a str);
    let bench = Bench::new();
    let cases: [Case<'_>; 6] = [
        (
            &["-u", "alice"],
            &[],
            "there is a user name, `alice`, but no password",
            "hint: set `REGISTRY_PASSWORD`, or pass `--password-stdin` or `--password-file`\n",
        ),
        (
            &[],
            &[("REGISTRY_PASSWORD", "x")],
            "there is a password, but no user name",
            "hint: pass `--username`, or set `REGISTRY_USER`\n",
        ),
        (&["-u", "alice", "--password-stdin"], &[], "the password is empty", ""),
        (
            &["-u", "alice", "--password-file", "none"],
            &[],
            "cannot read the password: failed to open file `none`: No such file or directory (os error 2)",
            "",
        ),
        (
            &["--authfile", "none"],
            &[],
            "cannot read credentials: failed to open file `none`: No such file or directory (os error 2)",
            "",
        ),
        (
            &["-u", "alice", "--password-file", "two"],
            &[],
            "the password is not one line of text",
            "",
        ),
    ];
    bench.sandbox.write("two", "a\nb\n");
    for (args, vars, message, hint) in cases {
        let run = bench.run(["image", "localhost:1/a"]).args(args);
        let run = vars.iter().fold(run, |run, (name, value)| run.env(name, value));
        run.output().code(2).stdout("").stderr(&format!("pushimg: {message}\n{hint}"));
    }
}

#[test]
fn a_broken_file_of_credentials_is_named() {
    let bench = Bench::new();
    let file = bench.sandbox.write("auth.json", "{");
    let run = bench.run(["image", "localhost:1/a", "--authfile", "auth.json"]);
    let out = run.output().code(2).stdout("");
    assert!(out.stderr.starts_with("pushimg: `auth.json` is no file of credentials: EOF"));
    fs_err::write(&file, r#"{"auths":{"localhost:1":{"auth":"!!!"}}}"#).unwrap();
    let run = bench.run(["image", "localhost:1/a", "--authfile", "auth.json"]);
    run.output().code(2).stdout("").stderr(
        "pushimg: the entry `localhost:1` of `auth.json` is not a user name and a password in base64\n",
    );
}

#[test]
fn a_password_and_an_image_cannot_share_stdin() {
    let bench = Bench::new();
    let run = bench.run(["-", "localhost:1/a", "-u", "alice", "--password-stdin"]);
    run.stdin("x").output().code(2).stdout("").stderr(
        "pushimg: the password and the image cannot both be read from stdin\n\
         hint: use `--password-file`, or `REGISTRY_PASSWORD`\n",
    );
}
