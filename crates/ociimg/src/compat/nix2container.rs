//! nix2container's program.

use std::path::{Path, PathBuf};

use cli::{Exit, Io};
use oci::HashingWriter;
use oci::layer::{LayerError, StoreRoot};
use oci::n2c::{self, Image, Job, Layer, N2cError};

use super::args::{ImageJsonArgs, LayersArgs, N2cArgs, N2cVerb};
use crate::build::jobs;
use crate::error::BuildError;
use crate::input::read_limited;
use crate::settings::go_arch;
use crate::write;

/// A closure of a million paths is smaller.
const LIMIT: u64 = 1 << 30;

pub(super) fn run(args: &N2cArgs, io: &mut Io) -> Result<Exit, BuildError> {
    let root = StoreRoot::at(io.env.cwd().join(&args.store_root));
    match &args.verb {
        N2cVerb::LayersFromReproducibleStorepaths(layers) => {
            made(&job(layers, io)?, &layers.output, &root, io)?;
        }
        N2cVerb::LayersFromNonReproducibleStorepaths(tar) if tar.tar_directory.is_empty() => {
            made(&job(&tar.layers, io)?, &tar.layers.output, &root, io)?;
        }
        N2cVerb::LayersFromNonReproducibleStorepaths(tar) => {
            let job = job(&tar.layers, io)?;
            let layers = written(&job, &tar.tar_directory, &root, io)?;
            write_layers(&layers, &tar.layers.output, io)?;
        }
        N2cVerb::Image(args) => image(args, io)?,
        N2cVerb::ImageFromDir { output, directory } => {
            let found = io.env.cwd().join(directory);
            let image = n2c::image_from_dir(&found.to_string_lossy()).map_err(of(&found))?;
            write_image(&under(image, &found, directory), output, io)?;
        }
        N2cVerb::ImageFromManifest { output, manifest, blobs } => {
            let bytes = read(manifest, io)?;
            let image = n2c::image_from_manifest(&bytes, &read(blobs, io)?);
            write_image(&image.map_err(of(manifest))?, output, io)?;
        }
    }
    Ok(Exit::Done)
}

/// Names a file that an error is about.
fn of(path: &Path) -> impl Fn(N2cError) -> BuildError {
    let path = path.to_owned();
    move |source| BuildError::N2c { path: path.clone(), source: Box::new(source) }
}

fn read(path: &Path, io: &Io) -> Result<Vec<u8>, BuildError> {
    read_limited(&io.env.cwd().join(path), LIMIT)
        .map_err(|source| BuildError::Read { path: path.to_owned(), source })
}

/// Layers with the folder's name as it was typed.
fn under(mut image: Image, found: &Path, typed: &str) -> Image {
    for layer in &mut image.layers {
        if let Some(name) = layer.layer_path.strip_prefix(&*found.to_string_lossy()) {
            layer.layer_path = format!("{typed}{name}");
        }
    }
    image
}

fn job(args: &LayersArgs, io: &Io) -> Result<Job, BuildError> {
    fn optional<T: Default>(
        path: Option<&PathBuf>,
        io: &Io,
        parse: impl Fn(&[u8]) -> Result<T, N2cError>,
    ) -> Result<T, BuildError> {
        match path.filter(|path| !path.as_os_str().is_empty()) {
            Some(path) => parse(&read(path, io)?).map_err(of(path)),
            None => Ok(T::default()),
        }
    }
    let mut parents = Vec::new();
    for path in &args.parents {
        parents.extend(n2c::parse_layers(&read(path, io)?).map_err(of(path))?);
    }
    Ok(Job {
        paths: n2c::parse_graph(&read(&args.graph, io)?).map_err(of(&args.graph))?,
        parents,
        rewrites: optional(args.rewrites.as_ref(), io, Job::parse_rewrites)?,
        perms: optional(args.perms.as_ref(), io, Job::parse_perms)?,
        ignore: args.ignore.clone(),
        max_layers: args.max_layers,
        history: optional(args.history.as_ref(), io, Job::parse_history)?,
    })
}

fn made(job: &Job, output: &Path, root: &StoreRoot, io: &mut Io) -> Result<(), BuildError> {
    let progress = io.progress("reading", None);
    let layers = n2c::made_layers(job, root, jobs(), &|bytes| progress.add(bytes))?;
    drop(progress);
    write_layers(&layers, output, io)
}

/// Layers whose tars are kept. As there, each of them holds every path.
fn written(job: &Job, folder: &str, root: &StoreRoot, io: &Io) -> Result<Vec<Layer>, BuildError> {
    let split = job.split();
    if split.is_empty() {
        return Ok(Vec::new());
    }
    let place = io.env.cwd().join(folder);
    let wrong = |source| BuildError::Write { path: place.clone(), source };
    let temporary = tempfile::NamedTempFile::new_in(&place).map_err(wrong)?;
    let mut tar = HashingWriter::new(temporary);
    let measured = job.whole().make(root, &mut |bytes| std::io::Write::write_all(&mut tar, bytes));
    let measured = measured.map_err(|error| match error {
        LayerError::Write { source } => wrong(source),
        error => error.into(),
    })?;
    let (temporary, digest, size) = tar.finish();
    let name = format!("{}.tar", digest.encoded());
    temporary.persist(place.join(&name)).map_err(|error| wrong(error.error))?;
    debug_assert_eq!((&digest, size), (&measured.diff_id, measured.size));
    let layer = |paths| Layer {
        layer_path: format!("{folder}/{name}"),
        ..Layer::made(&digest, size, paths, job.history.clone())
    };
    Ok(split.into_iter().map(layer).collect())
}

fn write_layers(layers: &[Layer], output: &Path, io: &Io) -> Result<(), BuildError> {
    write::file(&n2c::layers_to_bytes(layers)?, &io.env.cwd().join(output))?;
    io.detail(format_args!("layers have been written to {}", output.display()));
    Ok(())
}

fn write_image(image: &Image, output: &Path, io: &Io) -> Result<(), BuildError> {
    write::file(&image.to_bytes()?, &io.env.cwd().join(output))?;
    io.detail(format_args!("image has been written to {}", output.display()));
    Ok(())
}

fn image(args: &ImageJsonArgs, io: &Io) -> Result<(), BuildError> {
    let config = read(&args.config, io)?;
    let base = match args.from_image.as_ref().filter(|path| !path.as_os_str().is_empty()) {
        Some(path) => Some(Image::parse(&read(path, io)?).map_err(of(path))?),
        None => None,
    };
    let mut layers = Vec::new();
    for path in &args.layers {
        layers.extend(n2c::parse_layers(&read(path, io)?).map_err(of(path))?);
    }
    let arch = args.arch.as_deref().unwrap_or_else(|| go_arch(std::env::consts::ARCH));
    let created = args.created.clone();
    let image = Image::new(&config, base, layers, arch, created, true);
    let image = image.map_err(of(&args.config))?;
    write_image(&image, &args.output, io)
}
