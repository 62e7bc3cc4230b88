//! Archives and layouts, as they are written.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _, Write};
use std::num::NonZeroUsize;
use std::path::Path;

use fs_err as fs;
use oci::archive::{ArchiveTarget, write_archive};
use oci::compress::Compression;
use oci::layer::{LayerRecipe, PathRecipe, StoreRoot};
use oci::layout::{LayoutError, write_layout};
use oci::pack::{PackError, Packed, Packing};
use oci::plan::{Draft, DraftLayer};
use oci::source::SourceError;
use oci::{Digest, History, ImageConfig, Index, Manifest};
use serde_json::{Value, json};

struct Store {
    dir: tempfile::TempDir,
    root: StoreRoot,
}

impl Store {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            let path = dir.path().join("nix/store").join(name);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("f"), name.repeat(1000)).unwrap();
        }
        fs::create_dir(dir.path().join("spool")).unwrap();
        let root = StoreRoot::at(dir.path());
        Self { dir, root }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn packing(&self, compression: Compression) -> Packing<'_> {
        let jobs = NonZeroUsize::new(2).unwrap();
        Packing { root: &self.root, compression, jobs, cache: None, progress: &|_| () }
    }

    fn archive(&self, draft: Draft, compression: Compression) -> (Vec<u8>, Packed) {
        let mut file = fs::File::create(self.path("x.tar")).unwrap();
        let packing = self.packing(compression);
        let target = ArchiveTarget::File(&mut file);
        let packed = write_archive(draft.clone(), &packing, target).unwrap();
        let bytes = fs::read(self.path("x.tar")).unwrap();
        let mut piped = Vec::new();
        let target = ArchiveTarget::Stream { to: &mut piped, spool: self.path("spool") };
        assert_eq!(write_archive(draft, &packing, target).unwrap(), packed);
        assert_eq!(piped, bytes, "a pipe gets what a file gets");
        (bytes, packed)
    }
}

fn draft(tag: &str, layers: &[&str]) -> Draft {
    let layer = |name: &&str| {
        let recipe = LayerRecipe::new(vec![PathRecipe::new(format!("/nix/store/{name}"))]);
        let created_by = Some("test".to_owned());
        DraftLayer::new(recipe, History { created_by, ..History::default() })
    };
    Draft {
        name: Some("org/api".parse().unwrap()),
        tag: Some(tag.to_owned()),
        annotations: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
        config: ImageConfig::new("amd64", "linux", Vec::new()),
        layers: layers.iter().map(layer).collect(),
    }
}

fn members(tar: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(tar);
    let read = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().display().to_string(), bytes)
    };
    archive.entries().unwrap().map(read).collect()
}

#[test]
fn an_archive_is_a_layout_and_a_docker_archive() {
    let store = Store::new();
    for compression in Compression::ALL {
        let (bytes, packed) = store.archive(draft("v1", &["a", "b"]), compression);
        let found = members(&bytes);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[..3], ["oci-layout", "blobs/", "blobs/sha256/"]);
        assert_eq!(names[7..], ["index.json", "manifest.json"]);
        let get = |name: &str| &found.iter().find(|(n, _)| n == name).unwrap().1;
        for (name, bytes) in &found[3..7] {
            assert_eq!(*name, Digest::of(bytes).blob_path());
        }
        let index = Index::parse(get("index.json")).unwrap();
        index.validate().unwrap();
        let [descriptor] = &index.manifests[..] else { panic!("{index:?}") };
        assert_eq!(
            serde_json::to_value(&descriptor.annotations).unwrap(),
            json!({"io.containerd.image.name": "docker.io/org/api:v1", "org.opencontainers.image.ref.name": "org/api:v1"})
        );
        let manifest = Manifest::parse(get(&descriptor.digest.blob_path())).unwrap();
        manifest.validate().unwrap();
        assert_eq!(manifest.layers[0].media_type, compression.oci_media_type());
        assert_eq!(manifest.layers[0].annotations["dev.likewise.codec"], compression.codec());
        assert_eq!(manifest.annotations["k"], "v");
        let config = ImageConfig::parse(get(&manifest.config.digest.blob_path())).unwrap();
        assert_eq!(config, packed.plan.config);
        let docker: Value = serde_json::from_slice(get("manifest.json")).unwrap();
        let layers: Vec<_> = manifest.layers.iter().map(|l| l.digest.blob_path()).collect();
        assert_eq!(
            docker,
            json!([{"Config": manifest.config.digest.blob_path(), "RepoTags": ["org/api:v1"], "Layers": layers}])
        );
    }
}

#[test]
fn a_blob_is_there_once() {
    let store = Store::new();
    let (bytes, packed) = store.archive(draft("v1", &["a", "b", "a"]), Compression::Gzip);
    let names: Vec<_> = members(&bytes).into_iter().map(|(name, _)| name).collect();
    let once: BTreeSet<_> = names.iter().collect();
    assert_eq!(once.len(), names.len());
    assert_eq!(packed.layers.len(), 3);
}

fn refs(folder: &Path) -> Vec<(String, String)> {
    let index = Index::parse(&fs::read(folder.join("index.json")).unwrap()).unwrap();
    let pair = |d: &oci::Descriptor| {
        let name = d.annotations.get("org.opencontainers.image.ref.name").cloned();
        (name.unwrap_or_default(), d.digest.to_string())
    };
    index.manifests.iter().map(pair).collect()
}

#[test]
fn a_layout_keeps_its_other_images() {
    let store = Store::new();
    let folder = store.path("layout");
    let packing = store.packing(Compression::None);
    let write = |tag: &str, layers: &[&str], name: Option<&str>| {
        let packed = write_layout(draft(tag, layers), &packing, &folder, name).unwrap();
        packed.descriptor.digest.to_string()
    };
    let one = write("v1", &["a"], None);
    let two = write("v2", &["a", "b"], None);
    let named = |name: &str, digest: &str| (name.to_owned(), digest.to_owned());
    assert_eq!(refs(&folder), [named("v1", &one), named("v2", &two)]);
    let new = write("v1", &["b"], None);
    let mine = write("v1", &["b"], Some("mine"));
    assert_eq!(refs(&folder), [named("v1", &new), named("v2", &two), named("mine", &mine)]);
    for entry in fs::read_dir(folder.join("blobs/sha256")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        assert_eq!(Digest::of(fs::read(entry.path()).unwrap()).encoded(), name);
    }
}

#[test]
fn a_folder_that_is_something_else_is_left_alone() {
    let store = Store::new();
    let packing = store.packing(Compression::None);
    let write = |name: &str| write_layout(draft("v1", &["a"]), &packing, &store.path(name), None);
    assert!(matches!(write("nix").unwrap_err(), LayoutError::NotALayout { .. }));
    fs::create_dir(store.path("old")).unwrap();
    fs::write(store.path("old/oci-layout"), r#"{"imageLayoutVersion":"2.0.0"}"#).unwrap();
    assert!(matches!(write("old").unwrap_err(), LayoutError::Version { .. }));
    fs::write(store.path("old/oci-layout"), "[").unwrap();
    assert!(matches!(write("old").unwrap_err(), LayoutError::NotALayout { .. }));
    fs::write(store.path("old/oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::write(store.path("old/index.json"), "{}").unwrap();
    assert!(matches!(write("old").unwrap_err(), LayoutError::Read(SourceError::Document { .. })));
    assert_eq!(fs::read(store.path("old/index.json")).unwrap(), b"{}");
    assert!(matches!(write("x.tar/y").unwrap(), Packed { .. }));
}

/// A full disk.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_went_wrong_is_said_by_who_knows() {
    let store = Store::new();
    let packing = store.packing(Compression::Gzip);
    let mut out = Vec::new();
    let target = ArchiveTarget::Stream { to: &mut out, spool: store.path("spool") };
    let error = write_archive(draft("v1", &["a", "gone"]), &packing, target).unwrap_err();
    assert!(matches!(&error, PackError::Layer(_)), "{error}");
    assert!(error.to_string().ends_with("nix/store/gone` is not on this machine"), "{error}");
    let target = ArchiveTarget::Stream { to: &mut Full, spool: store.path("spool") };
    let error = write_archive(draft("v1", &["a"]), &packing, target).unwrap_err();
    assert!(matches!(error, PackError::Archive { .. }), "{error}");
    let folder = store.path("layout");
    write_layout(draft("v1", &["gone"]), &packing, &folder, None).unwrap_err();
    assert_eq!(
        fs::read_dir(folder.join("blobs/sha256")).unwrap().count(),
        0,
        "nothing half is left"
    );
    assert!(!folder.join("index.json").exists());
}
