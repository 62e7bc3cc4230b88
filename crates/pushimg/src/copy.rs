//! Copying an image from where it is to where it shall be, byte for byte, with all its platforms.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use cli::{Exit, Io};
use oci::source::{Document, Source, SourceError};
use oci::{Descriptor, Digest, Index, Manifest, MediaType, Reference};

use crate::args::{CopyArgs, PackingArgs};
use crate::connect::Reach;
use crate::error::PushError;
use crate::image::{Blob, Content, Image};
use crate::inspect::is_index;
use crate::interrupt::Interrupt;
use crate::meter::Meter;
use crate::plan::{self, Place, PlanError};
use crate::push::{Count, Report, Sender};
use crate::registry::Access;
use crate::run::{self, Input, Packer, Wish};
use crate::target::{Layout, Target};

/// An index in an index in an index is no image.
const MAX_DEPTH: usize = 4;
/// More manifests than this are no image either.
const MAX_DOCUMENTS: usize = 1000;

/// Copies an image.
pub(crate) fn copy(args: &CopyArgs, io: &mut Io) -> Result<Exit, PushError> {
    plan::check_tags(&args.tags)?;
    let place = plan::place(&args.target, &io.env)?;
    if let Some(tag) = args.tags.first().filter(|_| place.has_digest()) {
        let (tag, reference) = (tag.clone(), place.to_string());
        return Err(PlanError::TagAndDigest { tag, reference }.into());
    }
    let interrupt = Interrupt::listen();
    let meter = Arc::new(Meter::new(io, args.sending.progress, None));
    let jobs = run::jobs(&args.sending);
    let reach = Reach::new(&args.login, jobs, args.sending.chunk_size, &interrupt, &meter);
    let packing = PackingArgs::default();
    let (input, origin) = match from(&args.source, io)? {
        From::There(there) => {
            let (image, origin) = fetch(io, &reach, &there, &place)?;
            (Input::Image(image), origin)
        }
        From::Here(source) => (Input::open(&source, &packing, io)?, None),
    };
    let target: Box<dyn Target> = match &place {
        Place::Layout { path, .. } => Box::new(Layout::open(path)?),
        Place::Registry(reference) => {
            let repository = reach.repository(io, reference, Access::Push)?;
            let mounts = match (&origin, &input) {
                (Some((base, name)), Input::Image(image))
                    if base.origin() == repository.base().origin() =>
                {
                    let digests = image.blobs.iter().map(|blob| blob.descriptor.digest.clone());
                    digests.map(|digest| (digest, name.clone())).collect()
                }
                _ => BTreeMap::new(),
            };
            Box::new(repository.with_mounts(mounts))
        }
    };
    let sender = Sender::new(&*target, &meter, interrupt.cancel(), jobs.into())
        .dry(args.dry_run)
        .with_foreign(args.sending.foreign);
    let copied = || -> Result<_, PushError> {
        let packer = Packer::new(&packing, io, &interrupt);
        let wish = Wish { may_send: !args.dry_run && !place.has_digest(), name: place.tag() };
        let image = packer.image(input, &sender, &*target, &wish)?;
        let Some(top) = image.top() else { return Err(PlanError::NoName.into()) };
        let names = run::names(&place, top, &args.tags)?;
        let changed = sender.push(&image, &names)?;
        Ok(Report {
            digest: top.digest.to_string(),
            reference: place.to_string(),
            tags: names,
            media_type: top.media_type.to_string(),
            unchanged: !changed,
            dry_run: args.dry_run,
            blobs: Count::all(&image),
            sent: sender.sent(),
        })
    };
    let report = run::end(copied(), &interrupt, &*target)?;
    drop(sender);
    run::tell(io, &report, args.json, args.digest_file.as_deref())?;
    Ok(Exit::Done)
}

/// What is copied.
enum From {
    /// From a registry, or a layout with all that it has.
    There(Reference),
    /// From here, as a push would read it.
    Here(Source),
}

fn from(text: &OsStr, io: &Io) -> Result<From, PushError> {
    let local = || Ok(From::Here(Source::from_operand(text).map_err(PlanError::from)?));
    let Some(known) = text.to_str() else { return local() };
    let is_form = ["oci:", "oci-archive:", "docker-archive:", "./", "/", "-"];
    let is_here = !known.starts_with("docker://")
        && (is_form.iter().any(|start| known.starts_with(start)) || Path::new(known).exists());
    if is_here {
        return local();
    }
    match plan::named(known, &io.env)? {
        Place::Registry(reference) => Ok(From::There(reference)),
        Place::Layout { .. } => local(),
    }
}

/// The API and the name of a repository.
type Origin = (transfer::Url, String);

/// Reads the documents of an image in a registry; blobs are read when they are sent.
fn fetch(
    io: &mut Io,
    reach: &Reach<'_>,
    reference: &Reference,
    place: &Place,
) -> Result<(Image, Option<Origin>), PushError> {
    // Flags and variables are for where the image goes, and for no other host.
    let own = match place {
        Place::Registry(target) => target.host() == reference.host(),
        Place::Layout { .. } => true,
    };
    let repository = reach.repository_of(io, reference, Access::Pull, own)?;
    let origin = (repository.base().clone(), repository.name().to_owned());
    let from: Arc<dyn Target> = Arc::new(repository);
    let tag = reference.tag().map(str::to_owned);
    let named = reference.digest().map(ToString::to_string).or(tag).unwrap_or_default();
    let shown = reference.to_string();
    let Some(bytes) = from.current(&named)? else { return Err(PushError::NotFound(shown)) };
    if let Some(expected) = reference.digest() {
        let found = Digest::of(&bytes);
        if found != *expected {
            return Err(PushError::OtherDigest { found, expected: expected.clone() });
        }
    }
    let mut walk = Walk {
        from: &from,
        shown: &shown,
        seen: BTreeSet::new(),
        documents: Vec::new(),
        blobs: Vec::new(),
    };
    walk.document(None, bytes, 0)?;
    let Walk { documents, blobs, .. } = walk;
    let image = Image { documents, blobs: Blob::once_each(blobs), name: None };
    Ok((image, Some(origin)))
}

struct Walk<'a> {
    from: &'a Arc<dyn Target>,
    shown: &'a str,
    seen: BTreeSet<Digest>,
    documents: Vec<Document>,
    blobs: Vec<Blob>,
}

impl Walk<'_> {
    /// Takes in a document behind all that it names.
    fn document(
        &mut self,
        media_type: Option<MediaType>,
        bytes: Vec<u8>,
        depth: usize,
    ) -> Result<(), PushError> {
        let digest = Digest::of(&bytes);
        if !self.seen.insert(digest.clone()) {
            return Ok(());
        }
        if depth > MAX_DEPTH || self.seen.len() > MAX_DOCUMENTS {
            return Err(SourceError::TooDeep { shown: self.shown.to_owned() }.into());
        }
        let wrong = |source| SourceError::Document {
            shown: self.shown.to_owned(),
            name: digest.to_string(),
            source: Box::new(source),
        };
        let own = if is_index(&bytes) {
            let index = Index::parse(&bytes).map_err(wrong)?;
            for child in &index.manifests {
                let found = self.from.current(child.digest.as_str())?;
                let Some(found) = found else {
                    let digest = child.digest.clone();
                    return Err(SourceError::NoBlob { shown: self.shown.to_owned(), digest }.into());
                };
                let (expected, found_digest) = (child.digest.clone(), Digest::of(&found));
                if found_digest != expected {
                    return Err(PushError::OtherDigest { found: found_digest, expected });
                }
                self.document(Some(child.media_type.clone()), found, depth + 1)?;
            }
            index.media_type.unwrap_or(MediaType::OCI_INDEX)
        } else {
            let manifest = Manifest::parse(&bytes).map_err(wrong)?;
            for blob in std::iter::once(&manifest.config).chain(&manifest.layers) {
                self.blob(blob);
            }
            manifest.media_type.unwrap_or(MediaType::OCI_MANIFEST)
        };
        let media_type = media_type.unwrap_or(own);
        self.documents.push(Document { media_type, digest, bytes });
        Ok(())
    }

    fn blob(&mut self, descriptor: &Descriptor) {
        let content = Content::Remote(Arc::clone(self.from));
        self.blobs.push(Blob { descriptor: descriptor.clone(), content });
    }
}
