use proptest::prelude::*;

use super::*;

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn parts(text: &str) -> (Option<String>, String, Option<String>, bool) {
    let reference: Reference = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(reference.to_string(), text.strip_prefix("docker://").unwrap_or(text));
    let Reference { host, repository, tag, digest } = reference;
    (host, repository, tag, digest.is_some())
}

#[test]
fn the_parts_are_found() {
    let some = |s: &str| Some(s.to_owned());
    let hub = format!("a/b@sha256:{HEX}");
    let both = format!("localhost:5000/x:y@sha256:{HEX}");
    for (text, host, repository, tag, digest) in [
        ("alpine", None, "alpine", None, false),
        ("alpine:3", None, "alpine", some("3"), false),
        ("org/api", None, "org/api", None, false),
        ("docker://ghcr.io/org/api:v1", some("ghcr.io"), "org/api", some("v1"), false),
        ("localhost/api", some("localhost"), "api", None, false),
        ("localhost:5000/a/b/c", some("localhost:5000"), "a/b/c", None, false),
        ("[::1]:5000/a", some("[::1]:5000"), "a", None, false),
        ("[fd00:1::2]/a", some("[fd00:1::2]"), "a", None, false),
        ("Host/a", some("Host"), "a", None, false),
        ("127.0.0.1/a__b/c--d.e_f", some("127.0.0.1"), "a__b/c--d.e_f", None, false),
        (&hub, None, "a/b", None, true),
        (&both, some("localhost:5000"), "x", some("y"), true),
    ] {
        assert_eq!(parts(text), (host, repository.to_owned(), tag, digest), "{text}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let error = |text: &str| text.parse::<Reference>().unwrap_err();
    assert_eq!(error(""), ReferenceError::Empty);
    assert_eq!(error("docker://"), ReferenceError::Empty);
    assert_eq!(error("org/API"), ReferenceError::Uppercase("org/API".to_owned()));
    assert_eq!(error("a:"), ReferenceError::Tag(String::new()));
    assert_eq!(error("a:-b"), ReferenceError::Tag("-b".to_owned()));
    assert_eq!(error("a:b:c"), ReferenceError::Tag("b:c".to_owned()));
    assert_eq!(error("h:0/a"), ReferenceError::Port("0".to_owned()));
    assert_eq!(error("h:/a"), ReferenceError::Port(String::new()));
    assert_eq!(error("h:+5/a"), ReferenceError::Port("+5".to_owned()));
    assert_eq!(error("h:70000/a"), ReferenceError::Port("70000".to_owned()));
    assert_eq!(error("-h.x/a"), ReferenceError::Host("-h.x".to_owned()));
    assert_eq!(error("h_.x/a"), ReferenceError::Host("h_.x".to_owned()));
    assert_eq!(error("[::x]/a"), ReferenceError::Host("[::x]".to_owned()));
    assert_eq!(error("oci:dir/x"), ReferenceError::Transport("oci".to_owned()));
    assert_eq!(error("https://h.io/a"), ReferenceError::Transport("https".to_owned()));
    assert!(matches!(error("a@sha256:12"), ReferenceError::Digest(_)));
    for text in
        ["a//b", "/a", "a/", "a/../b", "a___b", "a._b", "_a", "a b", "a\n", "é", "https://h/a"]
    {
        assert!(text.parse::<Reference>().is_err(), "{text}");
    }
    assert_eq!(error(&"a".repeat(256)), ReferenceError::TooLong(256));
    assert_eq!(error(&format!("h.io/{}", "a".repeat(251))), ReferenceError::TooLong(256));
    assert!(format!("h.io/{}", "a".repeat(250)).parse::<Reference>().is_ok());
    assert!(format!("a:{}", "t".repeat(128)).parse::<Reference>().is_ok());
    assert!(format!("a:{}", "t".repeat(129)).parse::<Reference>().is_err());
}

#[test]
fn registries_are_put_in_front_only_where_there_is_none() {
    let put = |text: &str, prefix: &str| {
        text.parse::<Reference>().unwrap().in_registry(prefix).map(|r| r.to_string())
    };
    assert_eq!(put("api:1", "ghcr.io/org").unwrap(), "ghcr.io/org/api:1");
    assert_eq!(put("api", "docker://ghcr.io/").unwrap(), "ghcr.io/api");
    assert_eq!(put("quay.io/api", "ghcr.io").unwrap(), "quay.io/api");
    assert!(put("api", "ghcr.io//x").is_err());
    assert!(put("api", "").is_err());
}

#[test]
fn docker_hub_has_a_library() {
    let hub = |text: &str| text.parse::<Reference>().unwrap().in_docker_hub().to_string();
    assert_eq!(hub("alpine"), "docker.io/library/alpine");
    assert_eq!(hub("org/alpine:1"), "docker.io/org/alpine:1");
    assert_eq!(hub("index.docker.io/alpine"), "docker.io/library/alpine");
    assert_eq!(hub("ghcr.io/alpine"), "ghcr.io/alpine");
}

proptest! {
    #[test]
    fn whatever_parses_prints_as_it_was(text in "[a-z0-9.:/_@-]{1,40}") {
        if let Ok(reference) = text.parse::<Reference>() {
            prop_assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        let parsed = text.parse::<Reference>();
        prop_assert!(parsed.is_ok() || parsed.is_err());
    }
}
