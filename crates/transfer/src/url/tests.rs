use proptest::prelude::*;

use super::{Url, UrlError, without_dots};

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

/// RFC 3986, section 5.4, with its base; `g:h` and the like are other schemes, which are refused.
#[test]
fn references_resolve_as_the_rfc_says() {
    let base = url("http://a/b/c/d;p?q");
    for (reference, target) in [
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g/"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q"),
        ("g#s", "http://a/b/c/g"),
        ("g?y#s", "http://a/b/c/g?y"),
        (";x", "http://a/b/c/;x"),
        ("g;x", "http://a/b/c/g;x"),
        ("", "http://a/b/c/d;p?q"),
        (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../", "http://a/"),
        ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"),
        ("../../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        (".g", "http://a/b/c/.g"),
        ("g..", "http://a/b/c/g.."),
        ("..g", "http://a/b/c/..g"),
        ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"),
        ("g/./h", "http://a/b/c/g/h"),
        ("g/../h", "http://a/b/c/h"),
        ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
        ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/./x", "http://a/b/c/g?y/./x"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
    ] {
        assert_eq!(base.resolve(reference).unwrap().as_str(), target, "{reference}");
    }
    assert_eq!(base.resolve("g:h"), Err(UrlError::Scheme("g".into())));
}

#[test]
fn a_query_is_kept_byte_for_byte() {
    let asked = url("http://127.0.0.1:5000/v2/a/blobs/uploads/");
    let there = asked.resolve("u1?_state=a%2Fb+c==&z=1&a=2").unwrap();
    assert_eq!(there.query(), Some("_state=a%2Fb+c==&z=1&a=2"));
    let there = there.with_pair("digest", "sha256:00");
    assert_eq!(there.query(), Some("_state=a%2Fb+c==&z=1&a=2&digest=sha256%3A00"));
    assert_eq!(url("http://h/p?").with_pair("a", "b").as_str(), "http://h/p?a=b");
    assert_eq!(url("http://h/p?x&").with_pair("a", "b").as_str(), "http://h/p?x&a=b");
}

#[test]
fn an_origin_has_its_implied_port() {
    assert_eq!(url("https://Host.example:443/a").origin(), url("https://host.example/b").origin());
    assert_ne!(url("https://host/").origin(), url("http://host/").origin());
    assert_ne!(url("http://host:81/").origin(), url("http://host/").origin());
    assert_eq!(url("http://[::1]:5000").as_str(), "http://[::1]:5000/");
    assert_eq!(url("http://[::1]:5000").origin().host(), "::1");
}

#[test]
fn loopback_and_private_addresses_are_told() {
    for loopback in
        ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]"]
    {
        assert!(url(&format!("http://{loopback}/")).origin().is_loopback(), "{loopback}");
    }
    for far in ["localhost.example", "128.0.0.1", "10.0.0.1", "registry.example", "[2001:db8::1]"] {
        assert!(!url(&format!("http://{far}/")).origin().is_loopback(), "{far}");
    }
    for private in
        ["10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "127.0.0.1", "[fe80::1]"]
    {
        assert!(url(&format!("http://{private}/")).origin().is_private_address(), "{private}");
    }
    assert!(!url("http://8.8.8.8/").origin().is_private_address());
    assert!(!url("http://localhost/").origin().is_private_address());
}

#[test]
fn what_cannot_be_asked_is_refused_with_its_reason() {
    for (text, error) in [
        ("ftp://h/", UrlError::Scheme("ftp".into())),
        ("data:secret", UrlError::Scheme("data".into())),
        ("h/secret", UrlError::Scheme(String::new())),
        ("http:///p", UrlError::Host(String::new())),
        ("http://a b/", UrlError::Host("a b".into())),
        ("http://[::zz]/", UrlError::Host("[::zz]".into())),
        ("http://h:0/", UrlError::Port("0".into())),
        ("http://h:70000/", UrlError::Port("70000".into())),
        ("http://h:+1/", UrlError::Port("+1".into())),
        ("http://user:secret@h/", UrlError::Credentials),
        ("http://h/a b", UrlError::Characters),
        ("http://h/ä", UrlError::Characters),
        ("http://h/\r\nHost: x", UrlError::Characters),
    ] {
        assert_eq!(text.parse::<Url>(), Err(error), "{text}");
    }
}

#[test]
fn nobody_sees_a_query() {
    let there = url("https://store.example/bucket/nar?X-Signature=secret");
    assert_eq!(there.to_string(), "https://store.example/bucket/nar?…");
    assert_eq!(format!("{there:?}"), "https://store.example/bucket/nar?…");
}

proptest! {
    #[test]
    fn nothing_panics(base in "\\PC{0,20}", reference in "\\PC{0,40}") {
        let base = format!("http://h/{base}").parse::<Url>().unwrap_or_else(|_| url("http://h/"));
        if let Ok(there) = base.resolve(&reference) {
            prop_assert_eq!(there.as_str().parse::<Url>().unwrap(), there);
        }
    }

    #[test]
    fn dots_go_once(path in "(/[a.]{0,3}){1,6}") {
        let once = without_dots(&path);
        prop_assert_eq!(without_dots(&once), once);
    }
}
