//! One run: from what was typed to what is printed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use cli::{Exit, Io, human_bytes, outln};
use oci::compress::Compression;
use oci::layer::StoreRoot;
use oci::source::{Document, Found, Source};
use oci::{Digest, Reference};
use tempfile::NamedTempFile;
use transfer::Url;

use crate::args::{Args, Format, PackingArgs, PushArgs, Reuse, SendingArgs, Verb};
use crate::connect::Reach;
use crate::copy;
use crate::error::PushError;
use crate::former::Former;
use crate::image::Image;
use crate::index;
use crate::inspect;
use crate::interrupt::Interrupt;
use crate::known::Known;
use crate::login;
use crate::make::MakeError;
use crate::meter::Meter;
use crate::pack::{Packing, Parts};
use crate::plan::{self, Place, PlanError};
use crate::push::{Count, Report, Sender};
use crate::registry::Access;
use crate::source;
use crate::target::{Layout, Target};
use crate::unpacked::Unpacked;

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
        Some(Verb::Copy(copy)) => copy::copy(&copy, io),
        Some(Verb::Index(index)) => index::index(&index, io),
        Some(Verb::ListTags(look)) => inspect::list_tags(&look, io),
        Some(Verb::Delete(look)) => inspect::delete(&look, io),
        Some(Verb::Login(host)) => login::login(&host, io),
        Some(Verb::Logout(host)) => login::logout(&host, io),
    }
}

/// How many blobs are sent at once.
pub(crate) fn jobs(args: &SendingArgs) -> u16 {
    args.jobs.unwrap_or(JOBS)
}

/// Which repositories of this run have which blobs: the next ones mount them.
#[derive(Default)]
pub(crate) struct Sent(Vec<(Url, String, Vec<Digest>)>);

impl Sent {
    /// What a repository of this registry can mount.
    fn mounts(&self, base: &Url) -> BTreeMap<Digest, String> {
        let here = self.0.iter().filter(|(known, ..)| known.origin() == base.origin());
        let pairs = here.flat_map(|(_, name, digests)| {
            digests.iter().map(move |digest| (digest.clone(), name.clone()))
        });
        pairs.collect()
    }

    /// Notes what a repository has now.
    pub(crate) fn note(&mut self, target: &dyn Target, sender: &Sender<'_>) {
        if let Some(repository) = target.repository() {
            let (base, name) = (repository.base().clone(), repository.name().to_owned());
            self.0.push((base, name, sender.there().into_iter().collect()));
        }
    }
}

/// Opens the target of a push.
pub(crate) fn target(
    io: &mut Io,
    reach: &Reach<'_>,
    place: &Place,
    sent: &Sent,
) -> Result<Box<dyn Target>, PushError> {
    Ok(match place {
        Place::Layout { path, .. } => Box::new(Layout::open(path)?),
        Place::Registry(reference) => {
            let repository = reach.repository(io, reference, Access::Push)?;
            let mounts = sent.mounts(repository.base());
            Box::new(repository.with_mounts(mounts))
        }
    })
}

fn push(args: &PushArgs, io: &mut Io) -> Result<Exit, PushError> {
    let all = plan::operands(args, &io.env)?;
    if let Some(path) = args.digest_file.as_ref().filter(|_| !args.dry_run && !args.check) {
        // What cannot be written is found out before anything is sent.
        drop(beside(path).map_err(PushError::DigestFile)?);
    }
    // A source that is a pipe may take its time: until it is read, Ctrl-C ends the process as ever.
    let mut opened = Vec::with_capacity(all.len());
    for (source, place) in all {
        let found = source.open(|| Ok::<_, PushError>(io.stdin()?))?;
        opened.push((Input::new(found, &args.packing)?, place));
    }
    let interrupt = Interrupt::listen();
    let mut sent = Sent::default();
    let mut there = true;
    for (number, (input, place)) in opened.into_iter().enumerate() {
        let place = match place {
            Some(place) => place,
            None => plan::named(input.name().ok_or(PlanError::NoName)?, &io.env)?,
        };
        let tags = if number == 0 { &args.tags[..] } else { &[] };
        let report = push_one(args, io, &interrupt, input, &place, tags, &mut sent)?;
        there &= report.unchanged;
        tell(
            io,
            &report,
            args.json,
            args.digest_file.as_deref().filter(|_| number == 0 && !args.check),
        )?;
    }
    Ok(if args.check && !there { Exit::No } else { Exit::Done })
}

fn push_one(
    args: &PushArgs,
    io: &mut Io,
    interrupt: &Interrupt,
    input: Input,
    place: &Place,
    tags: &[String],
    sent: &mut Sent,
) -> Result<Report, PushError> {
    let dry = args.dry_run || args.check;
    let packer = Packer::new(&args.packing, io, interrupt);
    let meter = Arc::new(Meter::new(io, args.sending.progress, input.bytes()));
    let jobs = jobs(&args.sending);
    let reach = Reach::new(&args.login, jobs, args.sending.chunk_size, interrupt, &meter);
    let target = target(io, &reach, place, sent)?;
    let sender = Sender::new(&*target, &meter, interrupt.cancel(), jobs.into())
        .dry(dry)
        .with_foreign(args.sending.foreign);
    let pushed = || -> Result<_, PushError> {
        let wish = Wish {
            // Whoever asks for one digest, or only wants to know, gets nothing sent before it is known.
            may_send: !dry && !place.has_digest(),
            name: place.tag(),
        };
        let image = packer.image(input, &sender, &*target, &wish)?;
        let Some(top) = image.top() else { return Err(PlanError::NoName.into()) };
        let names = names(place, top, tags)?;
        let changed = sender.push(&image, &names)?;
        Ok(Report {
            digest: top.digest.to_string(),
            reference: place.to_string(),
            tags: names,
            media_type: top.media_type.to_string(),
            unchanged: !changed,
            dry_run: dry,
            blobs: Count::all(&image),
            sent: sender.sent(),
        })
    };
    let report = end(pushed(), interrupt, &*target)?;
    sent.note(&*target, &sender);
    Ok(report)
}

/// Tells an interruption from a failure, and leaves nothing behind.
pub(crate) fn end<T>(
    done: Result<T, PushError>,
    interrupt: &Interrupt,
    target: &dyn Target,
) -> Result<T, PushError> {
    match (done, interrupt.signal()) {
        (Err(_), Some(signal)) => {
            target.clean_up();
            Err(PushError::Interrupted { signal })
        }
        (done, _) => done,
    }
}

/// What was read: an image that has a manifest, or that will get one.
pub(crate) enum Input {
    Image(Image),
    Unpacked(Unpacked),
}

impl Input {
    pub(crate) fn new(found: Found, args: &PackingArgs) -> Result<Self, PushError> {
        let root = args.store_root.as_ref().map_or_else(StoreRoot::default, StoreRoot::at);
        match found {
            Found::Unpacked(unpacked) => Ok(Self::Unpacked(unpacked.into())),
            Found::Json { shown, bytes } => {
                Ok(Self::Unpacked(source::read(&shown, &bytes, &root)?))
            }
            Found::Image(_) if args.compress.is_some() => {
                Err(PushError::HasManifest { flag: "compress" })
            }
            Found::Image(_) if args.format.is_some() => {
                Err(PushError::HasManifest { flag: "format" })
            }
            Found::Image(image) => Ok(Self::Image(image.into())),
        }
    }

    pub(crate) fn open(
        source: &Source,
        args: &PackingArgs,
        io: &mut Io,
    ) -> Result<Self, PushError> {
        Self::new(source.open(|| Ok::<_, PushError>(io.stdin()?))?, args)
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Image(image) => image.name.as_deref(),
            Self::Unpacked(unpacked) => unpacked.name.as_deref(),
        }
    }

    /// How many bytes there are to send, if that is known.
    fn bytes(&self) -> Option<u64> {
        match self {
            Self::Image(image) => Some(Count::all(image).bytes),
            Self::Unpacked(_) => None,
        }
    }
}

/// Makes images of what has no manifest.
pub(crate) struct Packer<'a> {
    args: &'a PackingArgs,
    known: Known,
    interrupt: &'a Interrupt,
}

/// What is wanted of an image that is being made.
pub(crate) struct Wish<'a> {
    /// Whether layers may be sent before the manifest is known.
    pub(crate) may_send: bool,
    /// The name whose image may have layers that need not be made.
    pub(crate) name: Option<&'a str>,
}

impl<'a> Packer<'a> {
    pub(crate) fn new(args: &'a PackingArgs, io: &Io, interrupt: &'a Interrupt) -> Self {
        Self { args, known: Known::new(io.env.cache_home()), interrupt }
    }

    /// The image with its manifest. What has to be made is sent while it is made, if it may be.
    pub(crate) fn image(
        &self,
        input: Input,
        sender: &Sender<'_>,
        target: &dyn Target,
        wish: &Wish<'_>,
    ) -> Result<Image, PushError> {
        let unpacked = match input {
            Input::Image(image) => return Ok(image),
            Input::Unpacked(unpacked) => unpacked,
        };
        match self.pack(unpacked.clone(), sender, target, wish, true) {
            // What was remembered, or what the registry said, was wrong: then everything is made.
            Err(PushError::Make(MakeError::Stale { .. })) => {
                self.pack(unpacked, sender, target, wish, false)
            }
            done => done,
        }
    }

    fn pack(
        &self,
        unpacked: Unpacked,
        sender: &Sender<'_>,
        target: &dyn Target,
        wish: &Wish<'_>,
        reuse: bool,
    ) -> Result<Image, PushError> {
        let packing = Packing {
            with: self.args.compress.unwrap_or(Compression::Gzip),
            format: self.args.format.unwrap_or(Format::Oci),
            known: if reuse { self.known.clone() } else { Known::new(None) },
            annotated: !self.args.no_annotations,
            cancel: self.interrupt.cancel().clone(),
        };
        let mut parts = packing.parts(unpacked)?;
        if reuse
            && let Some(name) = wish.name
            && let Some(image) = self.take_over(&mut parts, sender, target, name)?
        {
            return Ok(image);
        }
        if wish.may_send {
            if self.args.no_spool {
                sender.stream_unmade(&mut parts)?;
            } else {
                sender.send_unmade(&mut parts)?;
            }
        }
        parts.finish()
    }

    /// Takes over what the image that has the name now makes unnecessary; all of it, if that was asked for and it fits.
    fn take_over(
        &self,
        parts: &mut Parts,
        sender: &Sender<'_>,
        target: &dyn Target,
        name: &str,
    ) -> Result<Option<Image>, PushError> {
        let any = self.args.reuse == Some(Reuse::Any);
        if parts.unmade().is_empty() && !any {
            return Ok(None);
        }
        let Some(former) = sender.current(name)?.and_then(Former::of) else { return Ok(None) };
        if any && former.has_config(parts.config()) {
            return Ok(Some(Image {
                documents: vec![former.into_document()],
                blobs: Vec::new(),
                name: parts.name.clone(),
            }));
        }
        if any || former.is_annotated() {
            parts.reuse(&former.layers(target, self.args.trust_registry), any);
        }
        Ok(None)
    }
}

/// What the image is called at its place: tags or a digest, each once.
pub(crate) fn names(
    place: &Place,
    top: &Document,
    tags: &[String],
) -> Result<Vec<String>, PushError> {
    let first = match place {
        Place::Layout { tag, .. } => tag.clone(),
        Place::Registry(reference) => first_name(reference, top)?,
    };
    let mut names = vec![first];
    for tag in tags {
        if !names.contains(tag) {
            names.push(tag.clone());
        }
    }
    Ok(names)
}

fn first_name(reference: &Reference, top: &Document) -> Result<String, PushError> {
    match (reference.digest(), reference.tag()) {
        (Some(expected), _) if *expected != top.digest => {
            let (found, expected) = (top.digest.clone(), expected.clone());
            Err(PushError::OtherDigest { found, expected })
        }
        (_, Some(tag)) => Ok(tag.to_owned()),
        (_, None) => Ok(top.digest.to_string()),
    }
}

/// Says what was done, and prints the digest.
pub(crate) fn tell(
    io: &mut Io,
    report: &Report,
    json: bool,
    digest_file: Option<&Path>,
) -> Result<(), PushError> {
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
    if json {
        outln!(io, "{}", serde_json::to_string(report)?)?;
    } else {
        outln!(io, "{}", report.digest)?;
    }
    // The image is there whatever becomes of the file.
    match digest_file.filter(|_| !report.dry_run) {
        Some(path) => write_digest(path, &report.digest).map_err(PushError::DigestFile),
        None => Ok(()),
    }
}

/// Writes beside and renames: a full disk leaves no half of a digest.
fn write_digest(path: &Path, digest: &str) -> std::io::Result<()> {
    let mut file = beside(path)?;
    writeln!(file, "{digest}")?;
    file.persist(path)?;
    Ok(())
}

/// A temporary file beside a path; where none can be made, the path cannot be written either.
fn beside(path: &Path) -> std::io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder.unwrap_or_else(|| Path::new(".")))
}
