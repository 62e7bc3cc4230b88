//! Small images in every form, made without any of the tools under test.

use std::path::Path;

use oci::{Descriptor, Digest, ImageConfig, Index, Manifest, MediaType};

/// An image of plain tars.
#[derive(Debug, Clone)]
pub struct SmallImage {
    /// The layers, lowest first.
    pub layers: Vec<Vec<u8>>,
    /// The config.
    pub config: Vec<u8>,
    /// An OCI manifest over both.
    pub manifest: Vec<u8>,
}

impl SmallImage {
    /// An image with layers of about so many bytes; the same sizes make the same bytes.
    pub fn new(sizes: &[usize]) -> Self {
        let layers: Vec<_> = sizes.iter().enumerate().map(|(at, size)| layer(at, *size)).collect();
        Self::of(layers)
    }

    /// An image of these layers.
    pub fn of(layers: Vec<Vec<u8>>) -> Self {
        let diff_ids = layers.iter().map(Digest::of).collect();
        let mut config = ImageConfig::new("amd64", "linux", diff_ids);
        config.config.env = vec!["A=b".to_owned()];
        let config = config.to_bytes().unwrap();
        let described = layers.iter().map(|layer| Descriptor::of(MediaType::OCI_LAYER, layer));
        let described = described.collect();
        let manifest = Manifest::oci(Descriptor::of(MediaType::OCI_CONFIG, &config), described);
        Self { layers, config, manifest: manifest.to_bytes().unwrap() }
    }

    /// The digest of the manifest.
    pub fn digest(&self) -> String {
        Digest::of(&self.manifest).to_string()
    }

    /// The digests of the layers, lowest first.
    pub fn layer_digests(&self) -> Vec<String> {
        self.layers.iter().map(|layer| Digest::of(layer).to_string()).collect()
    }

    /// How many bytes the config and the layers have.
    pub fn blob_bytes(&self) -> u64 {
        (self.config.len() + self.layers.iter().map(Vec::len).sum::<usize>()) as u64
    }

    /// The files of a layout in which the image has this name.
    fn files(&self, name: &str) -> Vec<(String, Vec<u8>)> {
        let mut entry = Descriptor::of(MediaType::OCI_MANIFEST, &self.manifest);
        entry.annotations.insert("org.opencontainers.image.ref.name".to_owned(), name.to_owned());
        let mut files = vec![
            ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ("index.json".to_owned(), Index::oci(vec![entry]).to_bytes().unwrap()),
        ];
        for blob in [&self.manifest, &self.config].into_iter().chain(&self.layers) {
            files.push((Digest::of(blob).blob_path(), blob.clone()));
        }
        files
    }

    /// Writes a layout into a folder.
    pub fn write_layout(&self, folder: &Path, name: &str) {
        for (file, bytes) in self.files(name) {
            let path = folder.join(file);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, bytes).unwrap();
        }
    }

    /// A layout in a tar.
    pub fn oci_archive(&self, name: &str) -> Vec<u8> {
        let files = self.files(name);
        tar(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
    }

    /// What `docker save` and dockerTools write; without a name if that is empty.
    pub fn docker_archive(&self, name: &str) -> Vec<u8> {
        let config = format!("{}.json", Digest::of(&self.config).encoded());
        let layers: Vec<_> = self
            .layers
            .iter()
            .map(|layer| (format!("{}/layer.tar", Digest::of(layer).encoded()), layer.clone()))
            .collect();
        let names: Vec<_> = layers.iter().map(|(name, _)| name).collect();
        let tags = if name.is_empty() { vec![] } else { vec![name] };
        let list = serde_json::json!([{"Config": config, "RepoTags": tags, "Layers": names}]);
        let mut files = layers.clone();
        files.push((config.clone(), self.config.clone()));
        files.push(("manifest.json".to_owned(), list.to_string().into_bytes()));
        tar(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
    }
}

/// A tar with one file of about so many bytes.
fn layer(number: usize, size: usize) -> Vec<u8> {
    // Bytes that no compressor makes much of, from a counter.
    let mut state = number as u64 + 1;
    let mut step = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let content: Vec<u8> = (0..size).map(|_| step()).collect();
    tar([(format!("layer-{number}").as_str(), content.as_slice())])
}

/// A tar of files, as plain as can be.
pub fn tar<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000444\0");
        header[108..116].copy_from_slice(b"0000000\0");
        header[116..124].copy_from_slice(b"0000000\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
        header[136..148].copy_from_slice(b"00000000001\0");
        header[148..156].copy_from_slice(b"        ");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}
