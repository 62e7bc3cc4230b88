//! Before the body: is it there, can it be mounted, where does it go.

use testkit::image::SmallImage;
use testkit::registry::{Act, Answer, Fault, Registry};

use super::{Case, busy, uploads};

#[test]
fn case_08_head_500_once() {
    Case::new().fault(Fault::on("HEAD", "/blobs/", Act::Answer(busy(500))).times(1)).succeeds([]);
}

#[test]
fn case_09_head_403_or_405_always() {
    for status in [403, 405] {
        Case::new().fault(Fault::on("HEAD", "/blobs/", Act::Answer(busy(status)))).succeeds([]);
    }
}

/// Two repositories that do not see each other's blobs, with the image in the first.
fn two() -> Case {
    let registry = Registry::start();
    registry.keep_repositories_apart();
    let case = Case::with(registry);
    let there = format!("{}/from/here:v1", case.registry.host());
    case.tool(["-q", "image", &there]).output().code(0).stderr("");
    case.registry.forget_requests();
    case
}

#[track_caller]
fn copied(case: &Case) {
    let from = format!("{}/from/here:v1", case.registry.host());
    let out = case.tool(["copy", "-j1", "--retry-for=20s", &from, &case.reference()]).output();
    out.code(0).stdout(&format!("{}\n", case.image.digest())).stderr("...");
    case.is_there();
}

#[test]
fn a_mount_moves_no_byte() {
    let case = two();
    copied(&case);
    assert_eq!(case.registry.count("POST", "/a/b/blobs/uploads/"), 3);
    assert_eq!(case.registry.count("GET", "/from/here/blobs/"), 0);
    assert_eq!(case.registry.count("PUT", "/blobs/"), 0);
}

#[test]
fn case_10_a_mount_that_becomes_an_upload_is_used() {
    let case = Case::new();
    let host = case.registry.host();
    // This registry knows no mount at all: it begins an upload, as the specification lets it.
    case.registry.forbid_mounts();
    let other = format!("{host}/c/d:v1");
    case.registry.keep_repositories_apart();
    let args = ["-j1", "image", &case.reference(), "--also", "image", &other];
    case.tool(args).output().code(0).stderr("...");
    assert_eq!(case.registry.count("POST", "/c/d/"), 3, "no second session is begun");
    assert_eq!(case.registry.count("PUT", "/c/d/blobs/"), 3);
    assert_eq!(case.registry.open_upload_count(), 0);
}

#[test]
fn case_11_a_mount_that_fails_is_a_plain_upload() {
    for status in [400, 401, 403, 404, 405, 500, 503] {
        let case = two();
        let is_mount = |one: &testkit::registry::Received| one.query.contains("mount=");
        case.registry.fault(Fault::on("POST", "/a/b/", Act::Answer(busy(status))).when(is_mount));
        copied(&case);
        assert_eq!(case.registry.count("PUT", "/a/b/blobs/"), 3);
    }
}

#[test]
fn case_12_created_though_nothing_was_mounted() {
    let lie = || Act::Answer(Answer::new(201));
    Case::new().fault(uploads("POST", lie()).times(1)).succeeds([]);
    Case::new().fault(uploads("POST", lie())).fails(4, "is not there", []);
}

#[test]
fn case_13_the_same_digest_twice_is_one_upload() {
    let layer = testkit::image::tar([("x", b"y".repeat(100_000).as_slice())]);
    let mut case = Case::new();
    case.image = SmallImage::of(vec![layer.clone(), layer]);
    case.image.write_layout(&case.sandbox.path("twice"), "latest");
    case.tool(["-j4", "twice", &case.reference()]).output().code(0).stderr("...");
    case.is_there();
    assert_eq!(case.registry.count("POST", ""), 2, "the layer and the config");
}

#[test]
fn case_14_post_503_once() {
    Case::new().fault(uploads("POST", Act::Answer(busy(503))).times(1)).succeeds([]);
}

#[test]
fn case_15_post_429_with_retry_after() {
    let wait = |value: &str| busy(429).header("Retry-After", value);
    let begin = std::time::Instant::now();
    Case::new().fault(uploads("POST", Act::Answer(wait("1"))).times(1)).succeeds([]);
    assert!(begin.elapsed() >= std::time::Duration::from_secs(1), "it has to wait");
    let date =
        wait("Sun, 06 Nov 1994 08:49:38 GMT").header("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let begin = std::time::Instant::now();
    Case::new().fault(uploads("POST", Act::Answer(date)).times(1)).succeeds([]);
    assert!(begin.elapsed() >= std::time::Duration::from_secs(1), "it has to wait");
    // Longer than it may take is told, and not waited for.
    let case = Case::new().fault(uploads("POST", Act::Answer(wait("3600"))));
    let case = case.fails(4, "429 Too Many Requests", []);
    let out = case.push([]);
    assert!(out.stderr.contains("hint: the registry asks to wait for 3600 s"), "{}", out.stderr);
}

#[test]
fn case_16_post_reset() {
    Case::new().fault(uploads("POST", Act::Reset).times(1)).succeeds([]);
    Case::new().fault(uploads("POST", Act::Close).times(1)).succeeds([]);
}

#[test]
fn case_55_the_api_503_once_or_404() {
    Case::new().fault(Fault::on("GET", "/v2/", Act::Answer(busy(503))).times(1)).succeeds([]);
    let exact = |one: &testkit::registry::Received| one.path == "/v2/";
    let missing = Act::Answer(Answer::html(404, "Not Found"));
    Case::new().fault(Fault::on("GET", "/v2/", missing).when(exact)).succeeds([]);
}

#[test]
fn case_56_the_first_six_requests_503() {
    let case = Case::new();
    for method in ["GET", "HEAD"] {
        case.registry.fault(Fault::on(method, "", Act::Answer(busy(503))).times(3));
    }
    case.succeeds([]);
    // Not without patience.
    let case = Case::new().fault(Fault::on("GET", "", Act::Answer(busy(503))).times(6));
    case.fails(4, "503 Service Unavailable", ["--retry-for=0s"]);
}

#[test]
fn case_57_warnings_are_shown_once() {
    let warn = |answer: &mut Answer| {
        answer.headers.push(("Warning".to_owned(), "299 - \"use\tthe new host\"".to_owned()));
        answer.headers.push(("Warning".to_owned(), "110 - \"other\"".to_owned()));
    };
    let case = Case::new();
    for method in ["HEAD", "POST", "PUT"] {
        case.registry.fault(Fault::on(method, "", Act::edit(warn)));
    }
    let out = case.push([]).code(0);
    assert_eq!(out.stderr.matches("warning of the registry: use").count(), 1, "{}", out.stderr);
    assert!(!out.stderr.contains("other") && !out.stderr.contains('\t'));
}
