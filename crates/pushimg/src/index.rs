//! An image for several platforms: each pushed, then an index of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use cli::{Exit, Io};
use oci::source::{Document, Source, SourceError};
use oci::{Descriptor, ImageConfig, Index, MediaType, Platform};
use std::io::Read as _;

use crate::args::{Format, IndexArgs};
use crate::connect::Reach;
use crate::error::PushError;
use crate::image::Image;
use crate::inspect::is_index;
use crate::interrupt::Interrupt;
use crate::meter::Meter;
use crate::plan::{self, PlanError};
use crate::push::{Count, Report, Sender};
use crate::run::{self, Input, Packer, Sent, Wish};

/// Pushes images and their index.
pub(crate) fn index(args: &IndexArgs, io: &mut Io) -> Result<Exit, PushError> {
    plan::check_tags(&args.tags)?;
    let place = plan::place(&args.target, &io.env)?;
    if place.has_digest() {
        return Err(PlanError::IndexByDigest(place.to_string()).into());
    }
    let sources = args.sources.iter().map(|text| Source::from_operand(text));
    let sources = sources.collect::<Result<Vec<_>, _>>().map_err(PlanError::from)?;
    let mut inputs = Vec::new();
    for source in &sources {
        inputs.push(Input::open(source, &args.packing, io)?);
    }
    let interrupt = Interrupt::listen();
    let meter = Arc::new(Meter::new(io, args.sending.progress, None));
    let jobs = run::jobs(&args.sending);
    let reach = Reach::new(&args.login, jobs, args.sending.chunk_size, &interrupt, &meter);
    let target = run::target(io, &reach, &place, &Sent::default())?;
    let sender = Sender::new(&*target, &meter, interrupt.cancel(), jobs.into())
        .dry(args.dry_run)
        .with_foreign(args.sending.foreign);
    let packer = Packer::new(&args.packing, io, &interrupt);
    let pushed = || -> Result<_, PushError> {
        let (mut entries, mut count) = (Vec::new(), Count::default());
        for input in inputs {
            let wish = Wish { may_send: !args.dry_run, name: None };
            let image = packer.image(input, &sender, &*target, &wish)?;
            sender.push_child(&image)?;
            let all = Count::all(&image);
            count = Count { count: count.count + all.count, bytes: count.bytes + all.bytes };
            entries.extend(children(&image)?);
        }
        let top = document(entries, args.packing.format)?;
        let names = run::names(&place, &top, &args.tags)?;
        let mut changed = false;
        for name in &names {
            changed |= sender.put_named(name, &top)?;
        }
        Ok(Report {
            digest: top.digest.to_string(),
            reference: place.to_string(),
            tags: names,
            media_type: top.media_type.to_string(),
            unchanged: !changed,
            dry_run: args.dry_run,
            blobs: count,
            sent: sender.sent(),
        })
    };
    let report = run::end(pushed(), &interrupt, &*target)?;
    drop(sender);
    run::tell(io, &report, args.json, args.digest_file.as_deref())?;
    Ok(Exit::Done)
}

/// The entries that an image brings: itself, or those of its own index.
fn children(image: &Image) -> Result<Vec<Descriptor>, PushError> {
    let Some(top) = image.top() else { return Ok(Vec::new()) };
    let wrong = |source| SourceError::Document {
        shown: top.digest.to_string(),
        name: "the image".to_owned(),
        source: Box::new(source),
    };
    if is_index(&top.bytes) {
        return Ok(Index::parse(&top.bytes).map_err(wrong)?.manifests);
    }
    let (media_type, size) = (top.media_type.clone(), top.bytes.len() as u64);
    let mut entry = Descriptor::new(media_type, top.digest.clone(), size);
    entry.platform = Some(platform(image, top)?);
    Ok(vec![entry])
}

/// What machine an image is for, by its config.
fn platform(image: &Image, top: &Document) -> Result<Platform, PushError> {
    let shown = top.digest.to_string();
    let wrong = |source| SourceError::Document {
        shown: shown.clone(),
        name: "the config".to_owned(),
        source: Box::new(source),
    };
    let manifest = oci::Manifest::parse(&top.bytes).map_err(wrong)?;
    let digest = &manifest.config.digest;
    let blob = image.blobs.iter().find(|blob| blob.descriptor.digest == *digest);
    let Some(blob) = blob else {
        return Err(SourceError::NoBlob { shown, digest: digest.clone() }.into());
    };
    let mut bytes = Vec::new();
    let read = transfer::Source::open(blob)
        .and_then(|from| from.take(ImageConfig::LIMIT as u64).read_to_end(&mut bytes));
    read.map_err(|source| SourceError::Read { shown: shown.clone(), source })?;
    let config = ImageConfig::parse(&bytes).map_err(wrong)?;
    let text =
        |key: &str| config.other.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    Ok(Platform {
        architecture: config.architecture.clone(),
        os: config.os.clone(),
        os_version: text("os.version"),
        os_features: Vec::new(),
        variant: text("variant"),
        other: std::collections::BTreeMap::new(),
    })
}

/// The index, whose entries stand as they were given; no machine may find two of them.
fn document(entries: Vec<Descriptor>, format: Option<Format>) -> Result<Document, PushError> {
    let mut seen = BTreeSet::new();
    for entry in &entries {
        let Some(platform) = &entry.platform else { continue };
        let name = [
            Some(&platform.os),
            Some(&platform.architecture),
            platform.variant.as_ref(),
            platform.os_version.as_ref(),
        ];
        let name: Vec<_> = name.into_iter().flatten().cloned().collect();
        if !seen.insert(name.join("/")) {
            return Err(PlanError::SamePlatform(name.join("/")).into());
        }
    }
    let mut index = Index::oci(entries);
    if format == Some(Format::Docker) {
        index.media_type = Some(MediaType::DOCKER_INDEX);
    }
    let media_type = index.media_type.clone().unwrap_or(MediaType::OCI_INDEX);
    Ok(Document::new(media_type, index.to_bytes()?))
}
