//! Registries that refuse, break off and lie: without patience all of it is told, and no tag moves.

use testkit::Output;
use testkit::registry::{Act, Answer, Fault, Registry};

use super::Bench;

/// Pushes to a registry with one fault.
fn push_with(fault: Fault) -> (Output, Bench, Registry) {
    let (bench, registry) = (Bench::new(), Registry::start());
    registry.fault(fault);
    (impatient(&bench, &registry), bench, registry)
}

/// Pushes and tries nothing twice.
fn impatient(bench: &Bench, registry: &Registry) -> Output {
    let reference = format!("{}/a/b:v1", registry.host());
    bench.run(["-j1", "--retry-for=0s", "image", &reference]).output()
}

/// Asserts that a fault ends the push with this code and message, in which `HOST` stands for the registry.
#[track_caller]
fn fails(fault: Fault, code: i32, message: &str) {
    let (out, _, registry) = push_with(fault);
    let message = message.replace("HOST", &registry.host());
    let start = format!("pushimg: {message}");
    let last = out.stderr.lines().find(|line| line.starts_with("pushimg:")).unwrap_or_default();
    assert_eq!(last, start);
    assert!(out.code(code).stdout("").stderr.ends_with('\n'));
    assert!(registry.tags("a/b").is_empty(), "no tag may move");
}

#[test]
fn a_page_of_html_is_no_success() {
    for status in [200, 201] {
        let html = Act::Answer(Answer::html(status, "Welcome to nginx!"));
        let (out, _, registry) = push_with(Fault::on("PUT", "/manifests/", html));
        let name = if status == 200 { "200 OK" } else { "201 Created" };
        out.code(4).stdout("").stderr(&format!(
            "...\npushimg: PUT http://{}/v2/a/b/manifests/v1: {name}: a page of HTML, `Welcome to \
             nginx!`: this is not the answer of a registry\n\
             hint: check the host and the path of the reference\n",
            registry.host()
        ));
    }
    fails(
        Fault::on("PUT", "/blobs/uploads/", Act::Answer(Answer::html(200, "Hi"))),
        4,
        "PUT http://HOST/v2/a/b/blobs/uploads/u1?…: 200 OK: a page of HTML, `Hi`: this is not the \
         answer of a registry",
    );
    fails(
        Fault::on("POST", "/blobs/uploads/", Act::Answer(Answer::html(200, "Hi"))),
        4,
        "POST http://HOST/v2/a/b/blobs/uploads/: 200 OK: a page of HTML, `Hi`: this is not the \
         answer of a registry",
    );
    fails(
        Fault::on("GET", "/manifests/", Act::Answer(Answer::html(200, "Hi"))),
        4,
        "GET http://HOST/v2/a/b/manifests/v1: 200 OK: a page of HTML, `Hi`: this is not the answer \
         of a registry",
    );
}

#[test]
fn success_without_the_manifest_is_none() {
    fails(
        Fault::on("PUT", "/manifests/", Act::Answer(Answer::new(201))),
        4,
        "PUT http://HOST/v2/a/b/manifests/v1: 201 Created, but what was just pushed is not there",
    );
    fails(
        Fault::on("PUT", "/blobs/uploads/", Act::Answer(Answer::new(204))),
        4,
        "PUT http://HOST/v2/a/b/blobs/uploads/u1?…: 204 No Content, but what was just pushed is not there",
    );
}

#[test]
fn other_words_for_success_are_believed_after_a_look() {
    for (part, status) in [("/blobs/uploads/", 204), ("/blobs/uploads/", 200), ("/manifests/", 200)]
    {
        let act = Act::edit(move |answer| answer.status = status);
        let (out, bench, _) = push_with(Fault::on("PUT", part, act));
        out.code(0).stdout(&bench.digest_line()).stderr("...");
    }
}

#[test]
fn a_registry_without_head_or_digest_headers_is_enough() {
    for fault in [
        Fault::on("HEAD", "/manifests/", Act::Answer(Answer::error(405, "UNSUPPORTED", "no"))),
        Fault::on("HEAD", "/manifests/", Act::edit(|answer| answer.unset("Docker-Content-Digest"))),
        Fault::on("HEAD", "/blobs/", Act::Answer(Answer::new(403))),
        Fault::on("HEAD", "/blobs/", Act::Answer(Answer::new(405))),
        Fault::on("PUT", "", Act::edit(|answer| answer.unset("Docker-Content-Digest"))),
        Fault::on("PUT", "", Act::edit(|answer| answer.set("Docker-Content-Digest", "sha512:0"))),
    ] {
        let (out, bench, registry) = push_with(fault);
        out.code(0).stdout(&bench.digest_line()).stderr("...");
        assert_eq!(registry.tags("a/b"), ["v1"]);
    }
}

#[test]
fn a_wrong_digest_header_is_an_error() {
    let wrong = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let lie = move |answer: &mut Answer| answer.set("Docker-Content-Digest", wrong);
    for (method, part) in [("PUT", "/manifests/"), ("HEAD", "/manifests/")] {
        let (out, bench, registry) = push_with(Fault::on(method, part, Act::edit(lie)));
        out.code(5).stdout("").stderr(&format!(
            "...\npushimg: {method} http://{}/v2/a/b/manifests/v1: the registry says it has \
             {wrong}, but it was sent {}\n",
            registry.host(),
            bench.image.digest()
        ));
    }
    let (out, bench, registry) = push_with(Fault::on("PUT", "/blobs/uploads/", Act::edit(lie)));
    out.code(5).stdout("").stderr(&format!(
        "pushimg: PUT http://{}/v2/a/b/blobs/uploads/u1?…: the registry says it has {wrong}, but \
         it was sent {}\n",
        registry.host(),
        bench.image.layer_digests()[0]
    ));
    assert!(registry.tags("a/b").is_empty());
}

#[test]
fn refusals_are_quoted_and_have_their_codes() {
    let put = |status, code, message| {
        Fault::on("PUT", "/blobs/uploads/", Act::Answer(Answer::error(status, code, message)))
    };
    let start = "PUT http://HOST/v2/a/b/blobs/uploads/u1?…:";
    fails(put(403, "DENIED", "read only"), 3, &format!("{start} 403 Forbidden: DENIED: read only"));
    fails(
        put(404, "NAME_UNKNOWN", "no such repository"),
        4,
        &format!("{start} 404 Not Found: NAME_UNKNOWN: no such repository"),
    );
    fails(
        put(500, "UNKNOWN", "disk full"),
        4,
        &format!("{start} 500 Internal Server Error: UNKNOWN: disk full"),
    );
    fails(
        put(400, "DIGEST_INVALID", "provided digest did not match"),
        4,
        &format!(
            "{} 400 Bad Request: DIGEST_INVALID: provided digest did not match",
            start.replace("u1", "u2")
        ),
    );
    fails(
        Fault::on("PUT", "/blobs/uploads/", Act::Answer(Answer::html(502, "502 Bad Gateway"))),
        4,
        &format!("{start} 502 Bad Gateway: a page of HTML, `502 Bad Gateway`"),
    );
    fails(
        Fault::on(
            "POST",
            "/blobs/uploads/",
            Act::Answer(Answer::error(503, "UNAVAILABLE", "later")),
        ),
        4,
        "POST http://HOST/v2/a/b/blobs/uploads/: 503 Service Unavailable: UNAVAILABLE: later",
    );
    fails(
        Fault::on("PUT", "/manifests/", Act::Answer(Answer::error(429, "TOOMANYREQUESTS", "slow"))),
        4,
        "PUT http://HOST/v2/a/b/manifests/v1: 429 Too Many Requests: TOOMANYREQUESTS: slow",
    );
}

#[test]
fn a_403_hints_at_permission() {
    let fault = Fault::on("POST", "", Act::Answer(Answer::error(403, "DENIED", "no")));
    let (out, _, registry) = push_with(fault);
    out.code(3).stdout("").stderr(&format!(
        "pushimg: POST http://{}/v2/a/b/blobs/uploads/: 403 Forbidden: DENIED: no\n\
         hint: the login must be allowed to push to this repository, and the repository may have \
         to exist\n",
        registry.host()
    ));
}

#[test]
fn a_refusal_before_the_body_costs_no_body() {
    let early = Act::AnswerEarly(Answer::error(413, "SIZE_INVALID", "too large"));
    let (out, _, registry) = push_with(Fault::on("PUT", "/blobs/uploads/", early));
    out.code(4).stdout("").stderr(&format!(
        "pushimg: PUT http://{}/v2/a/b/blobs/uploads/u1?…: 413 Payload Too Large: SIZE_INVALID: \
         too large\n",
        registry.host()
    ));
    assert_eq!(registry.body_bytes(), 0);
}

#[test]
fn a_connection_that_ends_in_a_body_is_told_with_its_place() {
    let bench = Bench::with(&[8 << 20]);
    let registry = Registry::start();
    registry.fault(Fault::on("PUT", "/blobs/uploads/", Act::CutBody(1 << 20)));
    let out = impatient(&bench, &registry).code(4).stdout("");
    let start = format!(
        "pushimg: PUT http://{}/v2/a/b/blobs/uploads/u1?…: the connection ended after ",
        registry.host()
    );
    assert!(out.stderr.starts_with(&start), "{}", out.stderr);
    assert!(out.stderr.contains(" of 8390144 bytes of the body: "), "{}", out.stderr);
    assert!(registry.tags("a/b").is_empty());
}

#[test]
fn an_answer_that_is_lost_is_asked_for() {
    let (out, bench, registry) = push_with(Fault::on("PUT", "/blobs/uploads/", Act::LoseAnswer));
    out.code(0).stdout(&bench.digest_line()).stderr("...");
    assert_eq!(registry.count("PUT", "/blobs/uploads/"), 4, "nothing is sent twice");
}

#[test]
fn a_registry_that_hangs_up_is_told() {
    fails(
        Fault::on("POST", "/blobs/uploads/", Act::Close),
        4,
        "POST http://HOST/v2/a/b/blobs/uploads/: no answer: Peer disconnected",
    );
    fails(
        Fault::on("PUT", "/manifests/", Act::Close),
        4,
        "PUT http://HOST/v2/a/b/manifests/v1: no answer: Peer disconnected",
    );
}

#[test]
fn nobody_at_home_is_told() {
    let bench = Bench::new();
    let port = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    let run = bench.run(["--retry-for=0s", "image", &format!("localhost:{port}/a/b")]);
    let out = run.output().code(4).stdout("");
    let start = format!(
        "pushimg: GET http://localhost:{port}/v2/a/b/manifests/latest: no answer: Connection refused"
    );
    assert!(out.stderr.starts_with(&start), "{}", out.stderr);
}

#[test]
fn a_blob_that_changed_meanwhile_is_not_sent_whole() {
    let bench = Bench::new();
    let registry = Registry::start();
    let layer = bench.image.layer_digests()[0].clone();
    let file = bench.sandbox.path("image/blobs").join(layer.replace(':', "/"));
    let mut bytes = bench.image.layers[0].clone();
    bytes[50_000] ^= 1;
    fs_err::write(file, &bytes).unwrap();
    let found = oci::Digest::of(&bytes);
    bench.push(&registry).code(5).stdout("").stderr(&format!(
        "pushimg: PUT http://{}/v2/a/b/blobs/uploads/u1?…: cannot read the body to send: content \
         has the digest {found} but must have {layer}\n",
        registry.host()
    ));
    assert!(registry.blobs().is_empty());
    assert!(registry.tags("a/b").is_empty());
}
