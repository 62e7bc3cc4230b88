//! Logins: tokens that run out, grants that are too small, services that differ.

use testkit::Output;
use testkit::registry::{Act, Answer, Auth, Fault, Registry, Tokens};

use super::{Case, uploads};

const PASSWORD: &str = "s3cret:pa ss";

fn with(change: impl FnOnce(&mut Tokens)) -> Case {
    let mut tokens = Tokens::new("alice", PASSWORD);
    change(&mut tokens);
    Case::of(Registry::with_auth(Auth::Token(tokens)), &[200_000, 90_000, 3_000])
}

fn push<const N: usize>(case: &Case, args: [&str; N]) -> Output {
    let run = case.tool(["--retry-for=20s", "image", &case.reference()]).args(args);
    run.env("REGISTRY_USER", "alice").env("REGISTRY_PASSWORD", PASSWORD).output()
}

#[track_caller]
fn succeeds<const N: usize>(case: &Case, args: [&str; N]) {
    push(case, args).code(0).stdout(&format!("{}\n", case.image.digest())).stderr("...");
    case.is_there();
}

fn denied(case: &Case) -> Answer {
    let challenge =
        format!("Bearer realm=\"http://{}/token\",service=\"test\"", case.registry.host());
    Answer::error(401, "UNAUTHORIZED", "expired").header("WWW-Authenticate", challenge)
}

#[test]
fn case_46_a_token_that_dies_in_the_middle() {
    // Each token is good for so many requests.
    for uses in [2, 3, 5] {
        let case = with(|tokens| tokens.uses = uses);
        succeeds(&case, ["-j1"]);
        assert!(case.registry.count("GET", "/token") > 2);
    }
    // Several threads find it dead at the same time.
    let case = with(|tokens| tokens.uses = 12);
    succeeds(&case, ["-j4"]);
}

#[test]
fn case_47_unauthorized_on_the_body() {
    for early in [true, false] {
        let case = with(|_| {});
        let act = if early { Act::AnswerEarly(denied(&case)) } else { Act::Answer(denied(&case)) };
        case.registry.fault(uploads("PUT", act).times(1));
        succeeds(&case, ["-j1"]);
        assert_eq!(case.registry.count("GET", "/token"), 2);
    }
    // In a part of a body.
    let case = with(|_| {});
    case.registry.fault(uploads("PATCH", Act::Answer(denied(&case))).after(1).times(1));
    succeeds(&case, ["-j1", "--chunk-size=64K"]);
}

#[test]
fn case_48_unauthorized_on_the_last_request() {
    let case = with(|_| {});
    case.registry.fault(uploads("PUT", Act::Answer(denied(&case))).times(1));
    succeeds(&case, ["-j1", "--chunk-size=64K"]);
    let case = with(|_| {});
    case.registry.fault(Fault::on("PUT", "/manifests/", Act::Answer(denied(&case))).times(1));
    succeeds(&case, []);
}

#[test]
fn case_49_a_token_under_its_other_name_and_without_a_life() {
    for fields in [&["access_token"][..], &["token"], &["token", "access_token"]] {
        let case = with(|tokens| (tokens.fields, tokens.expires_in) = (fields, None));
        succeeds(&case, []);
        assert_eq!(case.registry.count("GET", "/token"), 1);
    }
    // One that says it lives no time at all is used until it is refused.
    let case = with(|tokens| tokens.expires_in = Some(0));
    succeeds(&case, ["-j1"]);
}

#[test]
fn case_50_a_scope_that_is_missing_is_asked_for_once() {
    let case = with(|_| {});
    let challenge = format!(
        "Bearer realm=\"http://{}/token\",service=\"test\",scope=\"repository:a/b:pull,push,delete \
         repository:other:pull\",error=\"insufficient_scope\"",
        case.registry.host()
    );
    let more = Answer::error(401, "UNAUTHORIZED", "more").header("WWW-Authenticate", challenge);
    case.registry.fault(uploads("POST", Act::Answer(more)).times(1));
    succeeds(&case, ["-j1"]);
    let asked: Vec<_> =
        case.registry.received().into_iter().filter(|one| one.path == "/token").collect();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].query.contains("scope=repository%3Aa%2Fb%3Apull%2Cpush%2Cdelete&"));
    assert!(!asked[1].query.contains("other"), "another repository is none of its business");
}

#[test]
fn case_51_identity_tokens_by_post_and_by_get() {
    for has_post in [true, false] {
        let case = with(|tokens| tokens.has_post = has_post);
        let host = case.registry.host();
        // `alice:` with the token beside it, as docker's config has it.
        let file = format!(
            r#"{{"auths":{{"{host}":{{"auth":"YWxpY2U6","identitytoken":"{PASSWORD}"}}}}}}"#
        );
        let file = case.sandbox.write("auth.json", file);
        let run = case.tool(["-j1", "image", &case.reference()]).env("REGISTRY_AUTH_FILE", file);
        run.output().code(0).stderr("...");
        case.is_there();
        assert_eq!(case.registry.count("POST", "/token"), 1);
        assert_eq!(case.registry.count("GET", "/token"), usize::from(!has_post));
    }
}

#[test]
fn case_52_many_challenges_and_broken_ones() {
    let case = with(|_| {});
    let host = case.registry.host();
    let good = format!("Negotiate, bearer REALM=\"http://{host}/token\", Service = test");
    let answer = Answer::new(401)
        .header("WWW-Authenticate", "Digest realm=\"a, b\\\"\", nonce=x")
        .header("WWW-Authenticate", good);
    case.registry.fault(uploads("POST", Act::Answer(answer)).times(1));
    succeeds(&case, ["-j1"]);
    for broken in
        ["Bearer", "Bearer realm=", "Bearer realm=\"", "=,=\",", "Negotiate YII=", "\"", ",,,"]
    {
        let case = with(|_| {});
        let answer = Answer::new(401).header("WWW-Authenticate", broken);
        case.registry.fault(uploads("POST", Act::Answer(answer)));
        let out = push(&case, ["-j1"]).code(3).stdout("");
        assert!(out.stderr.contains("pushimg: POST"), "{}", out.stderr);
    }
}

#[test]
fn case_54_too_small_a_grant_and_a_bad_password_fail_fast() {
    for jobs in ["-j1", "-j4"] {
        let case = with(|tokens| tokens.grants_push = false);
        let out = push(&case, [jobs]).code(3).stdout("");
        assert!(out.stderr.contains("the login of `alice` is not accepted"), "{}", out.stderr);
        assert!(case.registry.count("GET", "/token") <= 2);
        assert!(case.registry.tags("a/b").is_empty());
    }
    let case = with(|_| {});
    let run = case.tool(["-j4", "image", &case.reference()]);
    let run = run.env("REGISTRY_USER", "alice").env("REGISTRY_PASSWORD", "wr0ng");
    run.output()
        .code(3)
        .stdout("")
        .stderr("...\nhint: check the user name and the password or token\n");
    assert_eq!(case.registry.count("GET", "/token"), 1);
}

#[test]
fn eight_threads_ask_for_one_token() {
    let sizes = [90_000; 16];
    let case = Case::of(Registry::with_auth(Auth::token("alice", PASSWORD)), &sizes);
    succeeds(&case, ["-j8"]);
    assert_eq!(case.registry.count("GET", "/token"), 1);
}

#[test]
fn no_secret_is_ever_printed() {
    let secrets = [PASSWORD, "s3cret", "t0ken-of-the-test", "YWxpY2U6", "_state="];
    for verbosity in ["-q", "-v", "-vv", "-vvv", "--progress=json", "--json"] {
        for (uses, grants) in [(3, true), (usize::MAX, false)] {
            let case = with(|tokens| (tokens.uses, tokens.grants_push) = (uses, grants));
            case.registry.fault(uploads("PUT", Act::Reset).times(1));
            case.registry.fault(uploads("PUT", Act::Answer(super::busy(503))).times(1));
            let out = push(&case, [verbosity]);
            for secret in secrets {
                assert!(!out.stderr.contains(secret), "{secret}: {}", out.stderr);
                assert!(!out.stdout.contains(secret), "{secret}: {}", out.stdout);
            }
        }
    }
    let case = with(|_| {});
    let out =
        case.tool(["image", &format!("alice:{PASSWORD}@{}/a/b", case.registry.host())]).output();
    assert_eq!(out.code, 2);
}
