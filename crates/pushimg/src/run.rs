//! One run: from what was typed to what is printed.

use cli::{Exit, Io, human_bytes, outln};
use oci::compress::Compression;
use oci::layer::StoreRoot;
use oci::source::{Document, Found};

use crate::args::{Args, Format, PushArgs, Verb};
use crate::connect;
use crate::error::PushError;
use crate::image::Image;
use crate::inspect;
use crate::known::Known;
use crate::pack::{Packing, Parts};
use crate::plan::{self, Place, PlanError};
use crate::push::{Count, Report, Sender};
use crate::registry::Access;
use crate::source;
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
    let found = source.open(|| Ok::<_, PushError>(io.stdin()?))?;
    let wanted = open(args, found, &root, io)?;
    let place = match place {
        Some(place) => place,
        None => plan::named(wanted.name().ok_or(PlanError::NoName)?, &io.env)?,
    };
    let target: Box<dyn Target> = match &place {
        Place::Layout { path, .. } => Box::new(Layout::open(path)?),
        Place::Registry(reference) => {
            Box::new(connect::repository(io, &args.login, jobs, reference, Access::Push)?)
        }
    };
    let progress = io.progress("push", wanted.bytes());
    let sender = Sender::new(&*target, &progress, jobs.into(), args.dry_run);
    let image = match wanted {
        Wanted::Image(image) => image,
        Wanted::Parts(mut parts) => {
            // Whoever asks for one digest, or only wants to know, gets nothing sent before it is known.
            if !args.dry_run && !place.has_digest() {
                sender.send_unmade(&mut parts)?;
            }
            parts.finish()?
        }
    };
    let Some(top) = image.top() else { return Err(PlanError::NoName.into()) };
    let names = names(&place, top, &args.tags)?;
    let changed = sender.push(&image, &names)?;
    let report = Report {
        digest: top.digest.to_string(),
        reference: place.to_string(),
        tags: names,
        media_type: top.media_type.to_string(),
        unchanged: !changed,
        dry_run: args.dry_run,
        blobs: Count::all(&image),
        sent: sender.sent(),
    };
    drop(progress);
    tell(args, io, &report)?;
    Ok(Exit::Done)
}

/// An image that has a manifest, or that will get one.
enum Wanted {
    Image(Image),
    Parts(Box<Parts>),
}

impl Wanted {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Image(image) => image.name.as_deref(),
            Self::Parts(parts) => parts.name.as_deref(),
        }
    }

    /// How many bytes there are to send, if that is known.
    fn bytes(&self) -> Option<u64> {
        match self {
            Self::Image(image) => Some(Count::all(image).bytes),
            Self::Parts(_) => None,
        }
    }
}

fn open(args: &PushArgs, found: Found, root: &StoreRoot, io: &Io) -> Result<Wanted, PushError> {
    let parts = |unpacked| {
        let with = args.compress.unwrap_or(Compression::Gzip);
        let format = args.format.unwrap_or(Format::Oci);
        let packing = Packing { with, format, known: Known::new(io.env.cache_home()) };
        Ok(Wanted::Parts(Box::new(packing.parts(unpacked)?)))
    };
    match found {
        Found::Unpacked(unpacked) => parts(unpacked.into()),
        Found::Json { shown, bytes } => parts(source::read(&shown, &bytes, root)?),
        Found::Image(_) if args.compress.is_some() => {
            Err(PushError::HasManifest { flag: "compress" })
        }
        Found::Image(_) if args.format.is_some() => Err(PushError::HasManifest { flag: "format" }),
        Found::Image(image) => Ok(Wanted::Image(image.into())),
    }
}

/// What the image is called at its place: tags or a digest, each once.
fn names(place: &Place, top: &Document, tags: &[String]) -> Result<Vec<String>, PushError> {
    let first = match place {
        Place::Layout { tag, .. } => tag.clone(),
        Place::Registry(reference) => match (reference.digest(), reference.tag()) {
            (Some(expected), _) if *expected != top.digest => {
                let (found, expected) = (top.digest.clone(), expected.clone());
                return Err(PushError::OtherDigest { found, expected });
            }
            (_, Some(tag)) => tag.to_owned(),
            (_, None) => top.digest.to_string(),
        },
    };
    let mut names = vec![first];
    for tag in tags {
        if !names.contains(tag) {
            names.push(tag.clone());
        }
    }
    Ok(names)
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
