//! Layers that dockerTools' stream script itself made.
#![expect(clippy::unwrap_used, reason = "a test may end where its ground fails")]

use std::sync::Arc;

use oci::layer::{Dialect, LayerRecipe, PathRecipe, StoreRoot};

#[test]
fn layers_are_those_of_dockertools() {
    let root = tempfile::tempdir().unwrap();
    super::n2c::fixture(root.path());
    let folder = super::folder().join("dockertools");
    for (name, path) in [
        ("alpha", "00000000000000000000000000000000-alpha-1.0"),
        ("beta", "11111111111111111111111111111111-beta-2.0"),
    ] {
        let recipe = LayerRecipe {
            dialect: Dialect::Dockertools1,
            ..LayerRecipe::new(vec![PathRecipe::new(format!("/nix/store/{path}"))])
        };
        let measured = Arc::new(recipe).measure(&StoreRoot::at(root.path())).unwrap();
        let sum = fs_err::read_to_string(folder.join(format!("dt-{name}.sum"))).unwrap();
        assert_eq!(format!("{} {}", measured.diff_id, measured.size), sum.trim(), "{name}");
    }
}

fn gunzip(name: &str) -> Vec<u8> {
    let bytes = fs_err::read(super::folder().join("dockertools").join(name)).unwrap();
    let mut out = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut out).unwrap();
    out
}

#[test]
fn the_whole_archive_is_that_of_dockertools() {
    use oci::dockertools::{Conf, Owner, StreamOptions, stream};

    let root = tempfile::tempdir().unwrap();
    super::n2c::fixture(root.path());
    let conf = fs_err::read(super::folder().join("dockertools/dt-demo.conf.json")).unwrap();
    let conf = Conf::parse(&conf).unwrap();
    let folder = root.path().join(&conf.customisation_layer[1..]);
    fs_err::create_dir_all(&folder).unwrap();
    let layer = gunzip("dt-demo.customisation-layer.tar.gz");
    fs_err::write(folder.join("layer.tar"), &layer).unwrap();
    fs_err::write(folder.join("checksum"), oci::Digest::of(&layer).encoded()).unwrap();
    let mut permissions = fs_err::metadata(folder.join("layer.tar")).unwrap().permissions();
    permissions.set_readonly(true);
    fs_err::set_permissions(folder.join("layer.tar"), permissions).unwrap();
    // The file belonged to root when the answer was recorded.
    let name = || "root".to_owned();
    let options = StreamOptions {
        root: &StoreRoot::at(root.path()),
        repo_tag: None,
        now: 0,
        owner: &|_, _| Owner { uname: name(), gname: name() },
        spool: root.path(),
        log: &|_| (),
    };
    let mut out = Vec::new();
    stream(&conf, &options, &mut out).unwrap();
    assert_eq!(
        oci::Digest::of(&out).as_str(),
        "sha256:ef1cfade241a87e6510add38df441b7f3678cc1a388e7fcc6292c27407146340"
    );
    assert_eq!(out, gunzip("dt-demo.image.tar.gz"));
}
