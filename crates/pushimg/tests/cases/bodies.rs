//! The body: refused, cut, half kept, and what is sent after that.

use std::io::Read as _;
use std::time::{Duration, Instant};

use testkit::image::SmallImage;
use testkit::registry::{Act, Answer, Fault, Received, Registry};

use super::{Case, busy, uploads};

/// A layer of some megabytes: more than the buffers between two ends of a connection hold.
fn large() -> Case {
    Case::of(Registry::start(), &[6_000_000, 3_000])
}

/// How many bytes of bodies were sent for the largest layer.
fn sent(case: &Case) -> u64 {
    case.registry.received().iter().map(|one| one.body_bytes).sum()
}

fn whole(case: &Case) -> u64 {
    case.image.blob_bytes() + case.image.manifest.len() as u64
}

#[test]
fn case_17_body_503_read_to_its_end() {
    Case::new().fault(uploads("PUT", Act::Answer(busy(503))).times(1)).succeeds([]);
}

#[test]
fn case_18_body_503_early_and_closed() {
    let case = large().fault(uploads("PUT", Act::AnswerEarly(busy(503))).times(1)).succeeds([]);
    assert_eq!(sent(&case), whole(&case), "the refused body was not sent");
    // The same where the body is already on its way.
    let case = large().fault(uploads("PUT", Act::AnswerBehind(busy(503))).times(1));
    let out = case.push([]).code(0);
    assert!(
        out.stderr.contains("503 Service Unavailable: UNAVAILABLE: later; trying"),
        "{}",
        out.stderr
    );
    case.is_there();
}

#[test]
fn case_19_body_429_with_retry_after() {
    let answer = busy(429).header("Retry-After", "1");
    let begin = Instant::now();
    Case::new().fault(uploads("PUT", Act::Answer(answer)).times(1)).succeeds([]);
    assert!(begin.elapsed() >= Duration::from_secs(1), "it has to wait");
}

#[test]
fn case_20_body_500() {
    Case::new().fault(uploads("PUT", Act::Answer(busy(500))).times(1)).succeeds([]);
}

#[test]
fn case_21_reset_in_the_body() {
    large().fault(uploads("PUT", Act::ResetBody(1 << 20)).times(1)).succeeds([]);
}

#[test]
fn case_22_closed_in_the_body() {
    large().fault(uploads("PUT", Act::CutBody(1 << 20)).times(1)).succeeds([]);
    // A half that is closed, while the other one still takes bytes.
    large().fault(uploads("PUT", Act::HalfClose(1 << 20)).times(1)).succeeds([]);
}

#[test]
fn case_23_what_was_kept_is_not_sent_again() {
    let case = large().fault(uploads("PUT", Act::KeepPart(4 << 20)).times(1));
    let out = case.push([]).code(0);
    let line = format!("{}: going on at byte 4194304 of", case.layer());
    assert!(out.stderr.contains(&line), "{}", out.stderr);
    case.is_there();
    assert_eq!(sent(&case), whole(&case), "each byte once");
    let patch = case.registry.received().into_iter().find(|one| one.method == "PATCH").unwrap();
    let size = case.image.layers[0].len();
    assert_eq!(patch.header("content-range"), Some(format!("4194304-{}", size - 1).as_str()));
    // Twice in one blob: the rest of the rest.
    let case = large().fault(uploads("PUT", Act::KeepPart(2 << 20)).times(1));
    let case = case.fault(uploads("PATCH", Act::KeepPart(1 << 20)).times(1)).succeeds([]);
    assert_eq!(sent(&case), whole(&case));
}

#[test]
fn case_24_a_registry_that_forgets_gets_all_again() {
    let case = large().fault(uploads("PUT", Act::KeepPart(1 << 20)).times(1));
    case.registry.forget_broken_uploads();
    let case = case.succeeds([]);
    assert_eq!(sent(&case), whole(&case) + (1 << 20));
}

#[test]
fn case_25_only_the_answer_to_a_part_is_lost() {
    let case = large().fault(uploads("PATCH", Act::LoseAnswer).times(1));
    let case = case.succeeds(["--chunk-size=2M"]);
    assert_eq!(sent(&case), whole(&case), "the registry was asked first");
}

#[test]
fn case_26_an_upload_that_is_unknown_is_begun_anew() {
    let unknown = Answer::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    Case::new().fault(uploads("PUT", Act::Answer(unknown.clone())).times(2)).succeeds([]);
    Case::new().fault(uploads("PUT", Act::Answer(unknown))).fails(4, "BLOB_UPLOAD_UNKNOWN", []);
}

#[test]
fn case_27_out_of_range_says_where_to_go_on() {
    let case = large();
    // The registry takes a first part and then says that it has no more than that.
    let size = case.image.layers[0].len();
    let answer = Answer::error(416, "RANGE_INVALID", "invalid range")
        .header("Location", "/v2/a/b/blobs/uploads/u1?_state=1%2Fz+a==&k=2&b=1")
        .header("Range", "0-1048575");
    let case = case.fault(uploads("PUT", Act::KeepPartAnd(1 << 20, answer)).times(1)).succeeds([]);
    let patch = case.registry.received().into_iter().find(|one| one.method == "PATCH").unwrap();
    assert_eq!(patch.header("content-range"), Some(format!("1048576-{}", size - 1).as_str()));
}

#[test]
fn case_28_parts_that_are_too_large_are_sent_whole() {
    let limit = Answer::error(416, "UNKNOWN", "exceeds the maximum permissible limit");
    let case = large().fault(uploads("PATCH", Act::Answer(limit)).when(Received::is_ranged));
    let case = case.succeeds(["--chunk-size=5M"]);
    let puts = case.registry.received().into_iter().filter(|one| one.method == "PUT");
    assert!(puts.into_iter().all(|one| !one.is_ranged()));
}

#[test]
fn case_29_parts_are_as_large_as_the_registry_wants() {
    let case = large();
    case.registry.set_chunk_minimum(5 << 20);
    let case = case.succeeds(["--chunk-size=1M"]);
    let parts = case.registry.received().into_iter().filter(|one| one.method == "PATCH");
    let sizes: Vec<_> = parts.map(|one| one.body_bytes).collect();
    let rest = case.image.layers[0].len() as u64 - (5 << 20);
    assert_eq!(sizes, [5 << 20, rest], "and blobs below that go in one request");
}

#[test]
fn case_30_a_part_that_is_taken_in_part() {
    let answer = Answer::new(202)
        .header("Location", "/v2/a/b/blobs/uploads/u1?_state=1%2Fz+a==&k=2&b=1")
        .header("Range", "0-999999");
    let case = large().fault(uploads("PATCH", Act::KeepPartAnd(1_000_000, answer)).times(1));
    case.succeeds(["--chunk-size=2M"]);
}

#[test]
fn case_31_parts_that_lead_nowhere() {
    // A registry that says 201 to each part, and keeps none.
    let answer = Answer::new(201)
        .header("Location", "/v2/a/b/blobs/uploads/u1?_state=1%2Fz+a==&k=2&b=1")
        .header("Range", "0-0");
    let case = large().fault(uploads("PATCH", Act::Answer(answer)));
    let case = case.succeeds(["--chunk-size=2M"]);
    assert_eq!(case.registry.count("PATCH", ""), 1, "one try is enough");
}

#[test]
fn case_32_the_last_request_503() {
    let case = large().fault(uploads("PUT", Act::Answer(busy(503))).times(1));
    case.succeeds(["--chunk-size=2M"]);
}

#[test]
fn case_33_only_the_last_answer_is_lost() {
    let case = Case::new().fault(uploads("PUT", Act::LoseAnswer).times(1)).succeeds([]);
    assert_eq!(sent(&case), whole(&case), "nothing is sent twice");
}

#[test]
fn case_34_no_content_is_believed_after_a_look() {
    let change = |answer: &mut Answer| answer.status = 204;
    Case::new().fault(uploads("PUT", Act::edit(change))).succeeds([]);
    Case::new().fault(uploads("PUT", Act::Answer(Answer::new(204)))).fails(4, "is not there", []);
}

#[test]
fn case_35_a_digest_that_is_called_wrong_is_tried_once_more() {
    let wrong = Answer::error(400, "DIGEST_INVALID", "provided digest did not match");
    Case::new().fault(uploads("PUT", Act::Answer(wrong.clone())).times(1)).succeeds([]);
    let case = Case::new().fault(uploads("PUT", Act::Answer(wrong)));
    let case = case.fails(4, "DIGEST_INVALID", []);
    assert_eq!(case.registry.count("PUT", ""), 2);
}

#[test]
fn case_36_a_source_that_changed_is_never_sent_whole() {
    for kind in ["changed", "short", "long"] {
        let case = Case::new();
        let file = case.sandbox.path("image/blobs").join(case.layer().replace(':', "/"));
        let mut bytes = case.image.layers[0].clone();
        match kind {
            "changed" => bytes[50_000] ^= 1,
            "short" => bytes.truncate(50_000),
            _ => bytes.push(0),
        }
        fs_err::write(file, &bytes).unwrap();
        let out = case.push([]).code(5).stdout("");
        assert!(out.stderr.contains("digest") || out.stderr.contains("bytes"), "{}", out.stderr);
        assert!(case.registry.tags("a/b").is_empty() && case.registry.blobs().is_empty());
        let begun = case.registry.count("POST", "");
        assert_eq!(case.registry.count("DELETE", "/blobs/uploads/"), begun, "it is given up");
    }
}

#[test]
fn case_37_an_empty_blob_and_a_longer_digest() {
    use oci::{Algorithm, Descriptor, Hasher, Manifest, MediaType};
    let case = Case::new();
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(&case.image.layers[0]);
    let long = hasher.finish();
    let empty = Descriptor::of(MediaType::OCI_LAYER, b"");
    let size = case.image.layers[0].len() as u64;
    let layers = vec![Descriptor::new(MediaType::OCI_LAYER, long.clone(), size), empty];
    let config = Descriptor::of(MediaType::OCI_CONFIG, &case.image.config);
    let manifest = Manifest::oci(config, layers).to_bytes().unwrap();
    let image = SmallImage { manifest, ..case.image.clone() };
    image.write_layout(&case.sandbox.path("odd"), "latest");
    let sha512 = case.sandbox.path("odd").join(long.blob_path());
    fs_err::create_dir_all(sha512.parent().unwrap()).unwrap();
    fs_err::write(sha512, &image.layers[0]).unwrap();
    let none = case.sandbox.path("odd").join(oci::Digest::of(b"").blob_path());
    fs_err::write(none, b"").unwrap();
    // Some registries call what they took by another algorithm.
    let other = |answer: &mut Answer| answer.set("Docker-Content-Digest", "sha256:0");
    let is_long = |one: &Received| one.query.contains("sha512");
    case.registry.fault(uploads("PUT", Act::edit(other)).when(is_long));
    let out = case.tool(["-j1", "odd", &case.reference()]).output();
    out.code(0).stdout(&format!("{}\n", image.digest())).stderr("...");
    assert_eq!(case.registry.blob(long.as_str()).unwrap(), image.layers[0]);
    assert_eq!(case.registry.blob(oci::Digest::of(b"").as_str()).unwrap(), b"");
}

#[test]
fn case_58_ctrl_c_gives_the_uploads_up() {
    for (method, at) in
        [("PUT", "/blobs/uploads/"), ("PUT", "/manifests/"), ("POST", "/blobs/uploads/")]
    {
        let case = large();
        let stall = Act::Stall(Duration::from_secs(30));
        case.registry.fault(Fault::on(method, at, stall).times(2));
        let mut child = case.tool(["-j2", "image", &case.reference()]).spawn();
        let end = Instant::now() + Duration::from_secs(20);
        while case.registry.count(method, at) == 0 {
            assert!(Instant::now() < end, "nothing was sent");
            std::thread::sleep(Duration::from_millis(10));
        }
        let begin = Instant::now();
        testkit::interrupt(&child);
        let status = child.wait().unwrap();
        assert!(begin.elapsed() < Duration::from_secs(10), "it has to stop at once");
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(status.code(), Some(130), "{said}");
        assert!(said.contains("pushimg: interrupted"), "{said}");
        assert!(case.registry.tags("a/b").is_empty());
        if at == "/blobs/uploads/" && method == "PUT" {
            assert!(case.registry.count("DELETE", "/blobs/uploads/") >= 1, "{said}");
        }
    }
}

#[test]
fn a_body_that_nobody_takes_is_no_hang() {
    let stall = Act::Stall(Duration::from_secs(20));
    let case = large().fault(uploads("PUT", stall).times(1));
    case.succeeds(["--timeout=1s"]);
    let case = large().fault(uploads("PUT", Act::Stall(Duration::from_secs(20))));
    let begin = Instant::now();
    case.fails(4, "timed out", ["--timeout=1s", "--retry-for=0s"]);
    assert!(begin.elapsed() < Duration::from_secs(19));
}

#[test]
fn a_yes_to_a_body_that_was_not_read_is_no_yes() {
    let yes = Answer::new(201);
    large().fault(uploads("PUT", Act::AnswerEarly(yes)).times(1)).succeeds([]);
    let case = large().fault(uploads("PUT", Act::AnswerEarly(Answer::new(201))));
    case.fails(4, "is not there", ["--retry-for=0s"]);
}
