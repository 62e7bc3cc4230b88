//! `ociimg inspect`: what an image is.

use cli::{Exit, Io, escape, human_bytes, outln};
use oci::Digest;
use serde::Serialize;

use super::Subject;
use crate::args::InspectArgs;
use crate::error::BuildError;

#[derive(Debug, Serialize)]
struct Inspected<'a> {
    name: &'a Option<String>,
    digest: &'a Option<Digest>,
    config_digest: &'a Digest,
    platform: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    platforms: &'a [String],
    created: Option<String>,
    layers: usize,
    /// Of the blobs of the layers, where there are any.
    bytes: Option<u64>,
    config: &'a oci::RunConfig,
}

/// Prints what an image is.
pub(crate) fn inspect(args: &InspectArgs, io: &mut Io) -> Result<Exit, BuildError> {
    let subject = Subject::open(&args.image, &args.look, io)?;
    let config = subject.config()?;
    let variant = config.variant.as_ref().map(|variant| format!("/{variant}"));
    let inspected = Inspected {
        name: &subject.name,
        digest: &subject.digest,
        config_digest: &subject.config_digest,
        platform: format!("{}/{}{}", config.os, config.architecture, variant.unwrap_or_default()),
        platforms: &subject.platforms,
        created: config.created.as_ref().map(ToString::to_string),
        layers: subject.layers.len(),
        bytes: subject.blob_bytes(),
        config: &config.config,
    };
    if args.look.json {
        outln!(io, "{}", serde_json::to_string_pretty(&inspected)?)?;
        return Ok(Exit::Done);
    }
    let mut line = |key: &str, value: String| {
        if value.is_empty() { Ok(()) } else { outln!(io, "{key:<13}{}", escape(&value)) }
    };
    let digest = |digest: &Option<Digest>| digest.as_ref().map(ToString::to_string);
    line("name", subject.name.clone().unwrap_or_default())?;
    line("digest", digest(&subject.digest).unwrap_or_default())?;
    line("config", subject.config_digest.to_string())?;
    line("platform", inspected.platform.clone())?;
    line("platforms", subject.platforms.join(" "))?;
    line("created", inspected.created.clone().unwrap_or_default())?;
    let bytes = subject.blob_bytes().map(|bytes| format!(", {}", human_bytes(bytes)));
    line("layers", format!("{}{}", subject.layers.len(), bytes.unwrap_or_default()))?;
    let serde_json::Value::Object(run) = serde_json::to_value(&config.config)? else {
        return Ok(Exit::Done);
    };
    for (key, value) in run {
        line(&key, serde_json::to_string(&value)?)?;
    }
    Ok(Exit::Done)
}
