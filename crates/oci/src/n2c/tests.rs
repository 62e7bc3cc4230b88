use serde_json::json;

use super::*;
use crate::RunConfig;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn layer(path: &str, digest: &str) -> Layer {
    let path = LayerPath { path: path.to_owned(), options: None };
    Layer {
        digest: digest.to_owned(),
        ..Layer::made(&DIGEST.parse().unwrap(), 1, vec![path], History::default())
    }
}

#[test]
fn a_document_of_go_is_read_and_written_as_it_was() {
    let text = format!(
        "[\n\t{{\n\t\t\"digest\": \"{DIGEST}\",\n\t\t\"size\": 7,\n\t\t\"diff_ids\": \"{DIGEST}\",\n\t\t\"paths\": [\n\t\t\t{{\n\t\t\t\t\"path\": \"/nix/store/a\",\n\t\t\t\t\"options\": {{\n\t\t\t\t\t\"rewrite\": {{\n\t\t\t\t\t\t\"regex\": \"\",\n\t\t\t\t\t\t\"repl\": \"\"\n\t\t\t\t\t}},\n\t\t\t\t\t\"perms\": [\n\t\t\t\t\t\t{{\n\t\t\t\t\t\t\t\"regex\": \"\\u003e\",\n\t\t\t\t\t\t\t\"mode\": \"\",\n\t\t\t\t\t\t\t\"uid\": 5,\n\t\t\t\t\t\t\t\"gid\": 0,\n\t\t\t\t\t\t\t\"uname\": \"\",\n\t\t\t\t\t\t\t\"gname\": \"\"\n\t\t\t\t\t\t}}\n\t\t\t\t\t]\n\t\t\t\t}}\n\t\t\t}}\n\t\t],\n\t\t\"mediatype\": \"application/vnd.oci.image.layer.v1.tar\",\n\t\t\"History\": {{}}\n\t}}\n]"
    );
    let layers = parse_layers(text.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(layers_to_bytes(&layers).unwrap()).unwrap(), text);
    assert_eq!(layers_to_bytes(&[]).unwrap(), b"null");
    assert!(parse_layers(b"null").unwrap().is_empty());
}

#[test]
fn keys_in_any_case_and_unknown_ones_are_as_in_go() {
    let text = json!([{"Digest": DIGEST, "DIFF_IDS": DIGEST, "more": 1,
        "Paths": [{"PATH": "/a", "Options": {"Rewrite": {"Regex": "x"}}}],
        "history": {"Created": "2024-01-01t00:00:00.500z", "unknown": 1}}]);
    let layers = parse_layers(text.to_string().as_bytes()).unwrap();
    assert_eq!(layers[0].paths[0].options.as_ref().unwrap().rewrite.regex, "x");
    assert_eq!(layers[0].history.created.as_ref().unwrap().as_str(), "2024-01-01T00:00:00.5Z");
    assert!(layers[0].history.other.is_empty());
    assert!(matches!(parse_layers(b"{}"), Err(N2cError::Json { .. })));
}

#[test]
fn times_are_written_as_go_does() {
    let go = |text: &str| go_time(text.parse().unwrap()).to_string();
    assert_eq!(go("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00Z");
    assert_eq!(go("2024-01-01T00:00:00.000+00:00"), "2024-01-01T00:00:00Z");
    assert_eq!(go("2024-01-01T00:00:00.120-05:00"), "2024-01-01T00:00:00.12-05:00");
}

#[test]
fn what_a_parent_has_is_left_out_if_its_options_are_the_same() {
    let perm = PathPerm { path: "/b".into(), perm: GoPerm { uid: 1, ..GoPerm::default() } };
    let job = Job {
        paths: ["/a", "/b", "/c", "/d"].map(str::to_owned).to_vec(),
        parents: vec![layer("/a", DIGEST), layer("/b", DIGEST)],
        perms: vec![perm],
        ignore: "/d".to_owned(),
        max_layers: 1,
        ..Job::default()
    };
    let paths = |job: &Job| -> Vec<Vec<String>> {
        job.split().iter().map(|l| l.iter().map(|p| p.path.clone()).collect()).collect()
    };
    assert_eq!(paths(&job), [["/b", "/c"]]);
    assert_eq!(paths(&Job { max_layers: 0, ..job.clone() }).len(), 2);
    assert_eq!(paths(&Job { max_layers: -3, ..job }).len(), 2);
}

#[test]
fn an_image_keeps_a_layer_once_and_drops_what_go_drops() {
    let config =
        br#"{"entrypoint":["/bin/a"],"Healthcheck":{},"Volumes":{"/v":{"x":1}},"Env":null}"#;
    let time = || "2024-01-01T00:00:00Z".parse().unwrap();
    let layers = || [layer("/a", DIGEST), layer("/b", DIGEST)];
    let image = Image::new(config, None, layers(), "arm64", time(), true).unwrap();
    assert_eq!(image.layers.len(), 1);
    let text = String::from_utf8(image.to_bytes().unwrap()).unwrap();
    assert!(!text.contains("Healthcheck") && text.contains("\"/v\": {}\n"), "{text}");
    let kept = Image::new(config, Some(image.clone()), layers(), "arm64", time(), false).unwrap();
    assert!(kept.config.other.contains_key("Healthcheck"));
    assert_eq!(Image::parse(&kept.to_bytes().unwrap()).unwrap(), kept);
    let draft = kept.draft().unwrap();
    assert_eq!(draft.layers[0].recipe().unwrap().paths[0].path, "/a");
    let empty = Image::new(b"{}", None, [], "", time(), true).unwrap();
    let text = String::from_utf8(empty.to_bytes().unwrap()).unwrap();
    assert!(text.contains("\"image-config\": {},\n\t\"layers\": null,"), "{text}");
    assert!(matches!(Image::parse(b"[]"), Err(N2cError::Json { .. })));
}

#[test]
fn a_plan_goes_there_and_back() {
    let mut recipe = PathRecipe::new("/nix/store/a+b");
    recipe.to = Some("/".to_owned());
    let path = LayerPath::try_from(&recipe).unwrap();
    assert_eq!(path.options.unwrap().rewrite.regex, r"^/nix/store/a\+b");
    recipe.path = "/nix/store/a-1.0".to_owned();
    let path = LayerPath::try_from(&recipe).unwrap();
    assert_eq!(path.options.unwrap().rewrite.regex, "^/nix/store/a-1.0");
    let plain = PathRecipe::plain("/home/x", "/");
    assert!(matches!(LayerPath::try_from(&plain), Err(N2cError::NoWord(_))));
    assert_eq!(RunConfig::default().env.len(), 0);
}

#[test]
fn what_skopeo_leaves_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let config = json!({"rootfs": {"type": "layers", "diff_ids": [DIGEST]}}).to_string();
    let config_digest = Digest::of(&config);
    let descriptor = |media_type: &str, digest: &str| json!({"mediaType": media_type, "digest": digest, "size": 1});
    let docker = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    let manifest = |layers: Vec<serde_json::Value>| {
        json!({"schemaVersion": 2, "config": descriptor("application/vnd.oci.image.config.v1+json", config_digest.as_str()),
            "layers": layers}).to_string()
    };
    fs_err::write(dir.path().join(config_digest.encoded()), &config).unwrap();
    fs_err::write(dir.path().join("manifest.json"), manifest(vec![descriptor(docker, DIGEST)]))
        .unwrap();
    let image = image_from_dir(folder).unwrap();
    assert_eq!(image.layers[0].mediatype, "application/vnd.oci.image.layer.v1.tar+gzip");
    assert_eq!(image.layers[0].layer_path, format!("{folder}/{}", &DIGEST[7..]));
    let text = String::from_utf8(image.to_bytes().unwrap()).unwrap();
    assert!(text.ends_with("\t\"arch\": \"\",\n\t\"created\": null\n}"), "{text}");
    let manifest_of = |layers| manifest(layers);
    let error = |text: String, blobs: &str| {
        image_from_manifest(text.as_bytes(), blobs.as_bytes()).unwrap_err()
    };
    let one = || manifest_of(vec![descriptor(docker, DIGEST)]);
    assert!(matches!(error(one(), "{}"), N2cError::Blob(_)));
    assert!(matches!(error(one(), "[]"), N2cError::Json { .. }));
    let config_path = format!("{folder}/{}", config_digest.encoded());
    let blobs = json!({config_digest.encoded(): config_path, &DIGEST[7..]: "/blob"}).to_string();
    assert!(matches!(
        error(manifest_of(vec![descriptor("text/plain", DIGEST)]), &blobs),
        N2cError::MediaType(_)
    ));
    let two = manifest_of(vec![descriptor(docker, DIGEST), descriptor(docker, DIGEST)]);
    assert!(matches!(error(two, &blobs), N2cError::DiffIds { layers: 2, diff_ids: 1 }));
    assert_eq!(
        image_from_manifest(one().as_bytes(), blobs.as_bytes()).unwrap().layers[0].layer_path,
        "/blob"
    );
}
