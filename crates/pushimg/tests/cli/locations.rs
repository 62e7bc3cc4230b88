//! Where an upload is sent: the forms of a `Location`.

use testkit::registry::{Act, Fault, Registry};

use super::Bench;

/// Pushes to a registry that rewrites the location of each upload.
fn push_with(change: impl Fn(&str) -> String + Send + Sync + 'static) -> (Bench, Registry) {
    let (bench, registry) = (Bench::new(), Registry::start());
    let act = Act::edit(move |answer| {
        let location = answer.get("Location").unwrap().to_owned();
        answer.set("Location", change(&location));
    });
    registry.fault(Fault::on("POST", "/blobs/uploads/", act));
    (bench, registry)
}

fn path(location: &str) -> String {
    let rest = location.split_once("://").unwrap().1;
    rest[rest.find('/').unwrap()..].to_owned()
}

#[test]
fn a_location_may_be_a_path_a_name_or_without_a_scheme() {
    let forms: [fn(&str) -> String; 4] = [
        path,
        |location| path(location).rsplit('/').next().unwrap().to_owned(),
        |location| location.strip_prefix("http:").unwrap().to_owned(),
        |location| format!("../uploads/./{}#fragment", path(location).rsplit('/').next().unwrap()),
    ];
    for form in forms {
        let (bench, registry) = push_with(form);
        bench.push(&registry).code(0).stdout(&bench.digest_line()).stderr("...");
        // The registry refuses a query that is not byte for byte the one it gave.
        let query = registry.received().into_iter().find(|one| one.method == "PUT").unwrap().query;
        assert!(query.starts_with("_state=1%2Fz+a==&k=2&b=1&digest=sha256%3A"), "{query}");
    }
}

#[test]
fn an_upload_on_another_host_gets_no_login() {
    let auth = testkit::registry::Auth::basic("alice", "s3cret");
    let registry = Registry::with_auth(auth);
    let (bench, store) = (Bench::new(), Registry::start());
    // The same blob store under another name and port, as registries keep their uploads elsewhere.
    let there = format!("http://localhost:{}", store.port());
    let layer = bench.image.layer_digests()[0].clone();
    let act = Act::edit(move |answer| answer.set("Location", format!("{there}/upload?sig=s%2B")));
    registry.fault(Fault::on("POST", "/blobs/uploads/", act).times(1));
    store.fault(Fault::on("PUT", "/upload", Act::Answer(testkit::registry::Answer::new(201))));
    registry.set_blob(&layer, Some(bench.image.layers[0].clone()));
    registry.fault(Fault::on("HEAD", layer, Act::Answer(testkit::registry::Answer::new(404))));
    let reference = format!("{}/a/b:v1", registry.host());
    let run = bench.run(["-qj1", "image", &reference]);
    run.env("REGISTRY_USER", "alice")
        .env("REGISTRY_PASSWORD", "s3cret")
        .output()
        .code(0)
        .stdout(&bench.digest_line())
        .stderr("");
    let received = store.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].authorization, None);
    assert!(received[0].query.starts_with("sig=s%2B&digest=sha256%3A"));
    assert!(registry.received().iter().filter(|one| one.authorization.is_some()).count() > 5);
}

#[test]
fn an_upload_is_not_sent_into_a_private_network() {
    let (bench, registry) = push_with(|_| "http://192.168.7.7/upload?token=secret".to_owned());
    let host = registry.host();
    bench.push(&registry).code(4).stdout("").stderr(&format!(
        "pushimg: POST http://{host}/v2/a/b/blobs/uploads/: the upload is sent to \
         `http://192.168.7.7`, a private address of another host\n"
    ));
}

#[test]
fn an_upload_is_not_sent_over_plain_http_elsewhere() {
    let (bench, registry) = push_with(|_| "http://registry.example/upload?token=secret".to_owned());
    bench.push(&registry).code(4).stdout("").stderr(
        "pushimg: PUT http://registry.example/upload?…: plain http is spoken only to this machine\n",
    );
}

#[test]
fn an_upload_without_a_place_is_told() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let act = Act::edit(|answer| answer.unset("Location"));
    registry.fault(Fault::on("POST", "/blobs/uploads/", act));
    let host = registry.host();
    bench.push(&registry).code(4).stdout("").stderr(&format!(
        "pushimg: POST http://{host}/v2/a/b/blobs/uploads/: 202 Accepted without a location to \
         send the blob to\n"
    ));
}

#[test]
fn a_place_that_is_no_url_is_told_without_its_secrets() {
    for (location, why) in [
        ("ftp://store/upload?token=secret", "`ftp` is neither `http` nor `https`"),
        ("http://user:secret@store/", "it carries credentials, which belong in a header"),
        ("http://a b/", "the host `a b` is not a host name"),
        ("/upload one?token=secret", "it has characters that are not allowed in a URL"),
    ] {
        let (bench, registry) = push_with(move |_| location.to_owned());
        let out = bench.push(&registry).code(4).stdout("");
        assert!(out.stderr.ends_with(&format!(": {why}\n")), "{}", out.stderr);
        assert!(!out.stderr.contains("token"), "{}", out.stderr);
    }
}

#[test]
fn an_upload_that_is_there_at_once_is_believed_only_if_it_is() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let act = || Act::Answer(testkit::registry::Answer::new(201));
    registry.fault(Fault::on("POST", "/blobs/uploads/", act()));
    let host = registry.host();
    bench.push(&registry).code(4).stdout("").stderr(&format!(
        "pushimg: POST http://{host}/v2/a/b/blobs/uploads/: 201 Created, but what was just pushed \
         is not there\n"
    ));
    // There at the second look: another push was quicker.
    let (bench, registry) = (Bench::new(), Registry::start());
    registry.fault(Fault::on("POST", "/blobs/uploads/", act()).times(1));
    let layer = bench.image.layer_digests()[0].clone();
    registry.set_blob(&layer, Some(bench.image.layers[0].clone()));
    let missing = Act::Answer(testkit::registry::Answer::new(404));
    registry.fault(Fault::on("HEAD", layer, missing).times(1));
    bench.push(&registry).code(0).stdout(&bench.digest_line()).stderr("...");
}
