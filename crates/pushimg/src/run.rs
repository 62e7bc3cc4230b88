//! One run: from what was typed to what is printed.

use cli::{Exit, Io, human_bytes, outln};
use oci::Reference;
use oci::compress::Compression;
use oci::layer::StoreRoot;

use crate::args::{Args, Format, PushArgs, Verb};
use crate::connect;
use crate::error::PushError;
use crate::image::{Document, Image};
use crate::inspect;
use crate::known::Known;
use crate::pack::Packing;
use crate::plan::{self, Place, PlanError};
use crate::push::{Push, Report};
use crate::registry::Access;
use crate::source::Found;
use crate::target::{Layout, Target};

/// How many blobs are sent at once: on one connection each, more of them gain little.
const JOBS: u16 = 4;

/// Does what was typed.
pub(crate) fn run(args: Args, io: &mut Io) -> Result<Exit, PushError> {
    if args.has_stray() {
        return Err(PlanError::BeforeVerb.into());
    }
    match args.verb {
        None => push(&args.push, io),
        Some(Verb::Push(push_args)) => push(&push_args, io),
        Some(Verb::Digest(look)) => inspect::digest(&look, io),
        Some(Verb::Inspect(inspect)) => inspect::inspect(&inspect, io),
    }
}

fn push(args: &PushArgs, io: &mut Io) -> Result<Exit, PushError> {
    let (source, place) = plan::operands(args, &io.env)?;
    let jobs = args.jobs.unwrap_or(JOBS);
    let root = args.store_root.as_ref().map_or_else(StoreRoot::default, StoreRoot::at);
    let found = source.open(&root, || Ok::<_, PushError>(io.stdin()?))?;
    let image = open(args, found, io)?;
    let place = match place {
        Some(place) => place,
        None => plan::named(image.name.as_deref().ok_or(PlanError::NoName)?, &io.env)?,
    };
    let Some(top) = image.top() else { return Err(PlanError::NoName.into()) };
    let mut names = vec![name(&place, top)?];
    names.extend(args.tags.iter().cloned());
    check_tags(&args.tags)?;
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let push = Push { image: &image, top, names, jobs: jobs.into(), dry_run: args.dry_run };
    let target: Box<dyn Target> = match &place {
        Place::Layout { path, .. } => Box::new(Layout::open(path)?),
        Place::Registry(reference) => {
            Box::new(connect::repository(io, &args.login, jobs, reference, Access::Push)?)
        }
    };
    let progress = io.progress("push", Some(push.all().bytes));
    let (unchanged, sent) = push.run(&*target, &progress)?;
    drop(progress);
    let report = Report {
        digest: top.digest.to_string(),
        reference: place.to_string(),
        tags: push.names.clone(),
        media_type: top.media_type.to_string(),
        unchanged,
        dry_run: args.dry_run,
        blobs: push.all(),
        sent,
    };
    tell(args, io, &report)?;
    Ok(Exit::Done)
}

/// The image that was found, with a manifest.
fn open(args: &PushArgs, found: Found, io: &Io) -> Result<Image, PushError> {
    match found {
        Found::Unpacked(unpacked) => {
            let with = args.compress.unwrap_or(Compression::Gzip);
            let format = args.format.unwrap_or(Format::Oci);
            if with == Compression::Zstd && format == Format::Docker {
                return Err(PlanError::ZstdForDocker.into());
            }
            let total = unpacked.layers.iter().map(|layer| layer.size).sum();
            let progress = io.progress("compress", Some(total));
            let known = Known::new(io.env.cache_home());
            Packing { with, format, known, progress }.pack(unpacked)
        }
        Found::Image(_) if args.compress.is_some() => {
            Err(PushError::HasManifest { flag: "compress" })
        }
        Found::Image(_) if args.format.is_some() => Err(PushError::HasManifest { flag: "format" }),
        Found::Image(image) => Ok(image),
    }
}

/// What the image is called at its place: a tag or a digest.
fn name(place: &Place, top: &Document) -> Result<String, PushError> {
    let reference = match place {
        Place::Layout { tag, .. } => return Ok(tag.clone()),
        Place::Registry(reference) => reference,
    };
    if let Some(expected) = reference.digest().filter(|expected| **expected != top.digest) {
        let (found, expected) = (top.digest.clone(), expected.clone());
        return Err(PushError::OtherDigest { found, expected });
    }
    let tag = reference.tag().map(str::to_owned);
    Ok(tag.unwrap_or_else(|| top.digest.to_string()))
}

fn check_tags(tags: &[String]) -> Result<(), PushError> {
    for tag in tags {
        let name: Result<Reference, _> = "name".parse();
        name.and_then(|name| name.with_tag(tag))
            .map_err(|source| PlanError::Reference(tag.clone(), source))?;
    }
    Ok(())
}

/// Says what was done, and prints the digest.
fn tell(args: &PushArgs, io: &mut Io, report: &Report) -> Result<(), PushError> {
    let Report { reference, blobs, sent, .. } = report;
    if report.unchanged {
        io.status(format_args!("{reference} is there already: nothing to send"));
    } else {
        let did = if report.dry_run { "would send" } else { "sent" };
        io.status(format_args!(
            "{reference}: {did} {} of {} blobs, {} of {}",
            sent.count,
            blobs.count,
            human_bytes(sent.bytes),
            human_bytes(blobs.bytes)
        ));
    }
    if let Some(path) = args.digest_file.as_ref().filter(|_| !report.dry_run) {
        fs_err::write(path, format!("{}\n", report.digest)).map_err(PushError::DigestFile)?;
    }
    if args.json {
        outln!(io, "{}", serde_json::to_string(report)?)?;
    } else {
        outln!(io, "{}", report.digest)?;
    }
    Ok(())
}
