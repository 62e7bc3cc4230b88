//! Where an upload goes on.

use testkit::registry::{Act, Answer, Auth, Registry};

use super::{Case, uploads};

/// Changes where each upload begins.
fn located(change: impl Fn(String) -> String + Send + Sync + 'static) -> Case {
    Case::new().fault(uploads("POST", moved(change)))
}

fn moved(change: impl Fn(String) -> String + Send + Sync + 'static) -> Act {
    Act::edit(move |answer: &mut Answer| {
        let location = answer.get("Location").unwrap_or_default().to_owned();
        answer.set("Location", change(location));
    })
}

fn path(location: &str) -> String {
    location[location.find("/v2/").unwrap()..].to_owned()
}

#[test]
fn case_01_location_is_a_path() {
    located(|location| path(&location)).succeeds([]);
}

#[test]
fn case_02_the_query_of_a_location_is_kept_byte_for_byte() {
    // The registry compares it, `%2F`, `+` and `==` in it.
    let case = Case::new().succeeds([]);
    let put = case.registry.received().into_iter().find(|one| one.method == "PUT").unwrap();
    assert!(put.query.starts_with("_state=1%2Fz+a==&k=2&b=1&digest=sha256%3A"), "{}", put.query);
}

#[test]
fn case_03_location_without_a_scheme_or_a_folder() {
    located(|location| location.trim_start_matches("http:").to_owned()).succeeds([]);
    located(|location| location.rsplit('/').next().unwrap().to_owned()).succeeds([]);
}

#[test]
fn case_04_another_host_gets_no_login() {
    let registry = Registry::with_auth(Auth::basic("alice", "s3cret"));
    registry.open_uploads();
    let case = Case::with(registry);
    case.registry.fault(uploads("POST", moved(|at| at.replace("127.0.0.1", "localhost"))));
    let run = case.tool(["-j1", "image", &case.reference()]);
    let run = run.env("REGISTRY_USER", "alice").env("REGISTRY_PASSWORD", "s3cret");
    run.output().code(0).stdout(&format!("{}\n", case.image.digest())).stderr("...");
    case.is_there();
    let received = case.registry.received();
    let (mut with, mut without) = (0, 0);
    for one in received.iter().filter(|one| one.method == "PUT") {
        let elsewhere = one.header("host").unwrap().starts_with("localhost");
        assert_eq!(one.authorization.is_none(), elsewhere);
        if elsewhere { without += 1 } else { with += 1 }
    }
    assert_eq!((with, without), (1, 3));
}

#[test]
fn case_05_a_private_address_of_another_host_is_refused() {
    for elsewhere in ["10.1.2.3", "192.168.0.1", "169.254.169.254", "[fd00::1]", "0.0.0.0"] {
        located(move |at| at.replace("127.0.0.1", elsewhere)).fails(
            4,
            "a private address of another host",
            [],
        );
    }
}

#[test]
fn case_06_accepted_without_a_location() {
    let lost = || Act::edit(|answer| answer.unset("Location"));
    let case = Case::new().fault(uploads("POST", lost()).times(1));
    assert!(case.push([]).code(0).stderr.contains("sent 3 of 3"));
    assert_eq!(case.registry.tags("a/b"), ["v1"]);
    Case::new().fault(uploads("POST", lost())).fails(
        4,
        "without a location to send the blob to",
        [],
    );
}

#[test]
fn case_53_redirects_carry_no_login_and_no_body() {
    let other = Registry::start();
    let registry = Registry::with_auth(Auth::basic("alice", "s3cret"));
    let case = Case::with(registry);
    let there = format!("http://localhost:{}/v2/a/b/manifests/v1", other.port());
    let led = Answer::new(307).header("Location", there);
    case.registry.fault(testkit::registry::Fault::on("GET", "/manifests/", Act::Answer(led)));
    let login =
        |run: testkit::Run| run.env("REGISTRY_USER", "alice").env("REGISTRY_PASSWORD", "s3cret");
    let run = login(case.tool(["image", &case.reference()]));
    run.output().code(0).stdout(&format!("{}\n", case.image.digest())).stderr("...");
    assert!(other.received().iter().all(|one| one.authorization.is_none()));
    // A body goes nowhere but where it was sent.
    let case = Case::with(Registry::with_auth(Auth::basic("alice", "s3cret")));
    let there = format!("http://localhost:{}/v2/a/b/blobs/uploads/x", other.port());
    let led = Answer::new(307).header("Location", there);
    case.registry.fault(uploads("PUT", Act::Answer(led)));
    other.forget_requests();
    let out = login(case.tool(["-j1", "image", &case.reference()])).output().code(4).stdout("");
    assert!(out.stderr.contains("307 Temporary Redirect"), "{}", out.stderr);
    assert!(other.received().is_empty() && case.registry.tags("a/b").is_empty());
}
