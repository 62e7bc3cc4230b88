//! What will be done: operands and variables, resolved and checked.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use cli::{Env, Var};
use oci::compress::Compression;
use oci::source::{OperandError, Source, split_name};
use oci::{Reference, ReferenceError};

use crate::args::{Format, PushArgs};

/// Where an image goes, or is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a registry. The reference has a host, and a tag or a digest.
    Registry(Reference),
    /// In a layout on disk.
    Layout { path: PathBuf, tag: String },
}

impl Place {
    /// The tag, if it has one.
    pub(crate) fn tag(&self) -> Option<&str> {
        match self {
            Self::Registry(reference) if reference.digest().is_some() => None,
            Self::Registry(reference) => reference.tag(),
            Self::Layout { tag, .. } => Some(tag),
        }
    }

    /// Without tag and digest.
    pub(crate) fn repository(&self) -> String {
        match self {
            Self::Registry(reference) => reference.name(),
            Self::Layout { path, .. } => format!("oci:{}", path.display()),
        }
    }

    /// Whether it is a place for one image only.
    pub(crate) fn has_digest(&self) -> bool {
        matches!(self, Self::Registry(reference) if reference.digest().is_some())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => reference.fmt(f),
            Self::Layout { path, tag } => write!(f, "oci:{}:{tag}", path.display()),
        }
    }
}

/// Operands that cannot be what was meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    #[error("`{0}` is no image reference")]
    Reference(String, #[source] ReferenceError),
    #[error("`{0}` is no host of a registry")]
    Host(String, #[source] ReferenceError),
    #[error("`{0}` names no registry")]
    NoHost(String),
    #[error("`REGISTRY` is `{0}`, which is no host with an optional path")]
    Registry(String, #[source] ReferenceError),
    #[error("`{0}` is not UTF-8")]
    NotText(String),
    #[error("SRC and REF look swapped: there is a file `{reference}`, and none `{source_text}`")]
    Swapped { source_text: String, reference: String },
    #[error("`{0}` is a file, and there is no REF to push it to")]
    LoneFile(String),
    #[error(transparent)]
    Operand(#[from] OperandError),
    #[error("the image has no name, and no REF was given")]
    NoName,
    #[error("`--tag {tag}` cannot be given with the digest in `{reference}`")]
    TagAndDigest { tag: String, reference: String },
    #[error("`{0}` names an index by its digest, before it is made")]
    IndexByDigest(String),
    #[error("two images are for {0}")]
    SamePlatform(String),
    #[error("docker's manifests have no zstd layers")]
    ZstdForDocker,
    #[error("arguments of a push stand in front of a verb")]
    BeforeVerb,
    #[error("two images cannot both be read from stdin")]
    StdinForTwo,
    #[error("the password and the image cannot both be read from stdin")]
    StdinTwice,
}

impl PlanError {
    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoHost(text) => {
                format!("write `HOST/{text}`, or set `REGISTRY` to a host, with a path if need be")
            }
            Self::Swapped { source_text, reference } => {
                format!("the source comes first: `pushimg {reference} {source_text}`")
            }
            Self::LoneFile(file) => format!("say where to: `pushimg {file} HOST/NAME:TAG`"),
            Self::Operand(OperandError::Daemon { image }) => {
                format!("pipe it: `docker save {image} | pushimg HOST/NAME:TAG`")
            }
            Self::NoName => "say where to: `pushimg SRC HOST/NAME:TAG`".to_owned(),
            Self::ZstdForDocker => "use `--format oci`, or `--compress gzip`".to_owned(),
            Self::BeforeVerb => {
                "the verb comes first; a file named like one is written with `./` in front"
                    .to_owned()
            }
            Self::StdinTwice => "use `--password-file`, or `REGISTRY_PASSWORD`".to_owned(),
            Self::Operand(OperandError::Transport(_)) => {
                "SRC is a file, `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE` or `-`"
                    .to_owned()
            }
            _ => return None,
        })
    }
}

/// The operands of a push: what from, and where to if that was said; then those of `--also`.
pub(crate) fn operands(
    args: &PushArgs,
    env: &Env,
) -> Result<Vec<(Source, Option<Place>)>, PlanError> {
    let mut all = vec![first(args, env)?];
    for pair in args.also.chunks_exact(2) {
        refuse_swapped(&pair[0], &pair[1])?;
        let source = Source::from_operand(&pair[0])?;
        if source == Source::Stdin && all.iter().any(|(known, _)| *known == Source::Stdin) {
            return Err(PlanError::StdinForTwo);
        }
        all.push((source, Some(place(&pair[1], env)?)));
    }
    if args.login.password_stdin && all.iter().any(|(source, _)| *source == Source::Stdin) {
        return Err(PlanError::StdinTwice);
    }
    Ok(all)
}

fn first(args: &PushArgs, env: &Env) -> Result<(Source, Option<Place>), PlanError> {
    check_tags(&args.tags)?;
    let packing = &args.packing;
    if packing.compress == Some(Compression::Zstd) && packing.format == Some(Format::Docker) {
        return Err(PlanError::ZstdForDocker);
    }
    let (source, place) = match (&args.first, &args.second) {
        (None, _) => (Source::Stdin, None),
        (Some(only), None) => {
            if is_file(only) {
                return Err(PlanError::LoneFile(shown(only)));
            }
            (Source::Stdin, Some(place(only, env)?))
        }
        (Some(first), Some(second)) => {
            refuse_swapped(first, second)?;
            (Source::from_operand(first)?, Some(place(second, env)?))
        }
    };
    if let (Some(Place::Registry(reference)), Some(tag)) = (&place, args.tags.first())
        && reference.digest().is_some()
    {
        let (tag, reference) = (tag.clone(), reference.to_string());
        return Err(PlanError::TagAndDigest { tag, reference });
    }
    Ok((source, place))
}

pub(crate) fn check_tags(tags: &[String]) -> Result<(), PlanError> {
    for tag in tags {
        let name: Result<Reference, _> = "name".parse();
        name.and_then(|name| name.with_tag(tag))
            .map_err(|source| PlanError::Reference(tag.clone(), source))?;
    }
    Ok(())
}

/// A place by its text: a reference, or `oci:DIR[:TAG]`.
pub(crate) fn place(text: &OsStr, env: &Env) -> Result<Place, PlanError> {
    let text = utf8(text)?;
    if let Some(rest) = text.strip_prefix("oci:") {
        let (path, name) = split_name(text, rest)?;
        let tag = name.unwrap_or_else(|| "latest".to_owned());
        return Ok(Place::Layout { path, tag });
    }
    named(text, env)
}

/// The place in a registry that a name stands for.
pub(crate) fn named(text: &str, env: &Env) -> Result<Place, PlanError> {
    let wrong = |source| PlanError::Reference(text.to_owned(), source);
    let mut reference: Reference = text.parse().map_err(wrong)?;
    if reference.host().is_none() {
        let Some(registry) = env.get(Var::Registry) else {
            return Err(PlanError::NoHost(text.to_owned()));
        };
        let registry = utf8(registry)?;
        reference = reference
            .in_registry(registry)
            .map_err(|source| PlanError::Registry(registry.to_owned(), source))?;
    }
    if matches!(reference.host(), Some("docker.io" | "index.docker.io")) {
        reference = reference.in_docker_hub();
    }
    if reference.tag().is_none() && reference.digest().is_none() {
        reference = reference.with_tag("latest").map_err(wrong)?;
    }
    Ok(Place::Registry(reference))
}

/// `skopeo copy` has this order, `docker tag` too, but not everybody remembers it.
fn refuse_swapped(first: &OsString, second: &OsString) -> Result<(), PlanError> {
    let local = |text: &OsString| -> Option<PathBuf> {
        let known = text.to_str().unwrap_or_default();
        let path = known.strip_prefix("oci:").and_then(|rest| rest.split(':').next());
        let path = path.map_or_else(|| PathBuf::from(text), PathBuf::from);
        path.exists().then_some(path)
    };
    if first == "-" || local(first).is_some() || local(second).is_none() {
        return Ok(());
    }
    Err(PlanError::Swapped { source_text: shown(first), reference: shown(second) })
}

fn is_file(text: &OsStr) -> bool {
    Path::new(text).is_file()
}

fn utf8(text: &OsStr) -> Result<&str, PlanError> {
    text.to_str().ok_or_else(|| PlanError::NotText(shown(text)))
}

fn shown(text: &OsStr) -> String {
    text.to_string_lossy().into_owned()
}
