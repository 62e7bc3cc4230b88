//! Manifests: put, lost, denied, and what they name.

use oci::{Descriptor, Digest, Index, Manifest, MediaType};
use testkit::image::SmallImage;
use testkit::registry::{Act, Answer, Fault};

use super::{Case, busy};

fn manifests(method: &'static str, act: Act) -> Fault {
    Fault::on(method, "/manifests/", act)
}

#[test]
fn case_38_the_manifest_503_and_429() {
    let case = Case::new().fault(manifests("PUT", Act::Answer(busy(503))).times(1)).succeeds([]);
    assert_eq!(case.registry.count("PUT", "/blobs/"), 3, "the manifest alone is put again");
    let answer = busy(429).header("Retry-After", "1");
    Case::new().fault(manifests("PUT", Act::Answer(answer)).times(1)).succeeds([]);
}

#[test]
fn case_39_only_the_answer_to_the_manifest_is_lost() {
    let case = Case::new().fault(manifests("PUT", Act::LoseAnswer).times(1)).succeeds([]);
    assert_eq!(case.registry.count("PUT", "/manifests/"), 1);
}

#[test]
fn case_40_a_blob_that_the_registry_misses_is_sent_again() {
    let case = Case::new();
    let missing = Answer::error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
    let case = case.fault(manifests("PUT", Act::Answer(missing)).times(1)).succeeds([]);
    assert_eq!(case.registry.count("HEAD", "/blobs/"), 6, "each blob was looked for again");
    // One that was there when it was looked for, and is not any more.
    let case = Case::new();
    let size = case.image.layers[0].len().to_string();
    let lie = Answer::new(200).header("Content-Length", size);
    case.registry.fault(Fault::on("HEAD", case.layer(), Act::Answer(lie)).times(1));
    case.succeeds([]);
}

#[test]
fn case_41_a_wrong_digest_in_the_answer() {
    let wrong = format!("sha256:{}", "0".repeat(64));
    let lie = move |answer: &mut Answer| answer.set("Docker-Content-Digest", wrong.clone());
    let case = Case::new().fault(manifests("PUT", Act::edit(lie)));
    let out = case.push([]).code(5).stdout("");
    assert!(out.stderr.contains("the registry says it has sha256:000"), "{}", out.stderr);
}

#[test]
fn case_42_a_page_of_html_is_no_yes() {
    for status in [200, 201] {
        let page = Answer::html(status, "Welcome to nginx!");
        Case::new().fault(manifests("PUT", Act::Answer(page))).fails(4, "a page of HTML", []);
    }
    let yes = Answer::new(201);
    Case::new().fault(manifests("PUT", Act::Answer(yes))).fails(4, "is not there", []);
}

/// Writes a document into a layout, and returns its descriptor.
fn stored(case: &Case, layout: &str, media_type: MediaType, bytes: &[u8]) -> Descriptor {
    let descriptor = Descriptor::of(media_type, bytes);
    fs_err::write(case.sandbox.path(layout).join(descriptor.digest.blob_path()), bytes).unwrap();
    descriptor
}

#[test]
fn case_43_what_an_index_names_goes_first_and_once() {
    let case = Case::new();
    let other = SmallImage::new(&[200_000, 9]);
    other.write_layout(&case.sandbox.path("image"), "other");
    let child = |image: &SmallImage| Descriptor::of(MediaType::OCI_MANIFEST, &image.manifest);
    let inner = Index::oci(vec![child(&case.image), child(&other)]).to_bytes().unwrap();
    let inner = stored(&case, "image", MediaType::OCI_INDEX, &inner);
    let outer = Index::oci(vec![inner, child(&case.image)]).to_bytes().unwrap();
    let top = stored(&case, "image", MediaType::OCI_INDEX, &outer);
    let list = Index::oci(vec![top.clone()]).to_bytes().unwrap();
    case.sandbox.write("image/index.json", list);
    // The registry refuses whatever names a document that is not there yet.
    case.push([]).code(0).stdout(&format!("{}\n", top.digest)).stderr("...");
    assert_eq!(case.registry.manifest("a/b", "v1").unwrap().1, outer);
    assert_eq!(case.registry.count("PUT", "/manifests/"), 4, "each document once");
    assert_eq!(case.registry.count("PUT", "/blobs/"), 5, "each blob once");
    assert_eq!(case.registry.received().last().unwrap().path, "/v2/a/b/manifests/v1");
}

#[test]
fn case_44_foreign_layers_stay_where_they_are_unless_asked() {
    let case = Case::new();
    let foreign: MediaType =
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip".parse().unwrap();
    let mut layer = Descriptor::of(foreign, &case.image.layers[0]);
    layer.urls.push("https://example.com/layer".to_owned());
    let config = Descriptor::of(MediaType::OCI_CONFIG, &case.image.config);
    let manifest = Manifest::oci(config, vec![layer]).to_bytes().unwrap();
    let image = SmallImage { manifest, ..case.image.clone() };
    image.write_layout(&case.sandbox.path("foreign"), "latest");
    let push = |more: &[&str]| {
        let run = case.tool(["foreign", &case.reference()]).args(more);
        run.output().code(0).stdout(&format!("{}\n", image.digest())).stderr("...");
    };
    push(&[]);
    assert_eq!(case.registry.blob(&case.layer()), None);
    push(&["--foreign", "--tag", "again"]);
    assert_eq!(case.registry.blob(&case.layer()).as_ref(), Some(&image.layers[0]));
}

#[test]
fn case_45_what_has_a_subject_is_listed_under_its_tag() {
    let case = Case::new().succeeds([]);
    let subject = Descriptor::of(MediaType::OCI_MANIFEST, &case.image.manifest);
    let mut manifest = Manifest::parse(&case.image.manifest).unwrap();
    manifest.subject = Some(subject.clone());
    manifest.artifact_type = Some("application/x.signature".parse().unwrap());
    let manifest = manifest.to_bytes().unwrap();
    let image = SmallImage { manifest, ..case.image.clone() };
    image.write_layout(&case.sandbox.path("signature"), "latest");
    let push = |tag: &str| {
        let reference = format!("{}/a/b:{tag}", case.registry.host());
        case.tool(["signature", &reference]).output().code(0).stderr("...");
    };
    push("s1");
    push("s2");
    let tag = subject.digest.as_str().replace(':', "-");
    let (media_type, list) = case.registry.manifest("a/b", &tag).unwrap();
    assert_eq!(media_type, "application/vnd.oci.image.index.v1+json");
    let list = Index::parse(&list).unwrap();
    assert_eq!(list.manifests.len(), 1, "and not twice");
    assert_eq!(list.manifests[0].digest, Digest::of(&image.manifest));
    assert_eq!(
        list.manifests[0].artifact_type.as_ref().unwrap().as_str(),
        "application/x.signature"
    );
    // A registry that says it knows of subjects keeps the list itself.
    let other =
        Case::new().fault(manifests("PUT", Act::edit(|answer| answer.set("OCI-Subject", "x"))));
    image.write_layout(&other.sandbox.path("signature"), "latest");
    other.tool(["signature", &other.reference()]).output().code(0).stderr("...");
    assert_eq!(other.registry.tags("a/b"), ["v1"]);
}
