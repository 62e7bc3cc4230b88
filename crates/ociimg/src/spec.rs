//! `ociimg.toml`: an image as a file. Read strictly; every path in it is relative to its folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nixdata::StorePath;
use oci::compress::Compression;
use oci::layer::{Dialect, LayerError, MadeEntry, OnConflict, Rule, glob_to_regex};
use serde::Deserialize;
use serde_json::Value;

use crate::args::{Copy, Layering, Pair, SourceArgs};
use crate::input::read_limited;
use crate::spec_config::{self, ConfigError};

/// More than any such file.
const LIMIT: u64 = 4 << 20;

/// An `ociimg.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpecError {
    #[error("cannot read `{}`", .path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("`{}` is not UTF-8", .0.display())]
    NotText(PathBuf),
    #[error("{}:{line}:{column}: {message}", .path.display())]
    Toml { path: PathBuf, line: usize, column: usize, message: String },
    #[error("{}: {what}", .path.display())]
    Value { path: PathBuf, what: String },
    #[error("{}: `{glob}` is not a pattern", .path.display())]
    Glob { path: PathBuf, glob: String },
    #[error("{}: a rule cannot be used", .path.display())]
    Layer { path: PathBuf, source: Box<LayerError> },
    #[error("{}: `config` cannot be used", .path.display())]
    Config { path: PathBuf, source: ConfigError },
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    tag: Option<String>,
    platform: Option<String>,
    created: Option<String>,
    from: Option<From>,
    #[serde(default)]
    closure: Vec<PathBuf>,
    graph: Option<PathBuf>,
    dialect: Option<String>,
    compress: Option<Compress>,
    #[serde(default)]
    config: toml::Table,
    #[serde(default)]
    root: Vec<Root>,
    #[serde(default, rename = "file")]
    made: Vec<MadeEntry>,
    #[serde(default)]
    perm: Vec<Perm>,
    layers: Option<Layers>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    archive: Option<PathBuf>,
    layout: Option<PathBuf>,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Compress {
    algo: String,
    level: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Root {
    path: PathBuf,
    #[serde(default = "slash")]
    to: String,
    #[serde(default)]
    on_conflict: OnConflict,
}

fn slash() -> String {
    "/".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Perm {
    glob: Option<String>,
    regex: Option<String>,
    uid: Option<u32>,
    gid: Option<u32>,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    caps: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layers {
    strategy: Option<String>,
    max: Option<u16>,
    #[serde(default)]
    pin: Vec<Vec<String>>,
    #[serde(default)]
    exclude: Vec<String>,
    rates: Option<PathBuf>,
}

/// What flags do not say.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    /// Config keys, as OCI names them.
    pub(crate) config: Option<Value>,
    /// Where roots land, and what becomes of conflicts; the path as it is on disk.
    pub(crate) roots: Vec<(PathBuf, String, OnConflict)>,
    pub(crate) entries: Vec<MadeEntry>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) compress: Option<Compression>,
}

/// The file that is meant: the one that was named, or the one that lies here if nothing else was.
pub(crate) fn find(args: &SourceArgs, cwd: &Path) -> Option<PathBuf> {
    if let Some(file) = &args.file {
        return Some(cwd.join(file));
    }
    let is_bare = args.paths.is_empty() && args.copy_to_root.is_empty() && args.copy.is_empty();
    let here = cwd.join("ociimg.toml");
    (is_bare && here.is_file()).then_some(here)
}

/// Reads the file, and puts what it says below what was typed.
pub(crate) fn load(path: &Path, args: &mut SourceArgs) -> Result<Extra, SpecError> {
    let bytes = read_limited(path, LIMIT)
        .map_err(|source| SpecError::Read { path: path.to_owned(), source })?;
    let text = String::from_utf8(bytes).map_err(|_| SpecError::NotText(path.to_owned()))?;
    let file: File = toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let before = &text[..at];
        SpecError::Toml {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
            message: error.message().replace('\n', " "),
        }
    })?;
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    Loading { path, folder }.apply(file, args)
}

struct Loading<'a> {
    path: &'a Path,
    folder: PathBuf,
}

impl Loading<'_> {
    fn wrong(&self, what: impl Into<String>) -> SpecError {
        SpecError::Value { path: self.path.to_owned(), what: what.into() }
    }

    fn at(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    fn apply(&self, file: File, args: &mut SourceArgs) -> Result<Extra, SpecError> {
        let image = &mut args.image;
        image.name = image.name.take().or(file.name);
        image.tag = image.tag.take().or(file.tag);
        if let Some(platform) = &file.platform {
            let (os, arch) = platform
                .split_once('/')
                .ok_or_else(|| self.wrong(format!("platform `{platform}` is not OS/ARCH")))?;
            image.os = image.os.take().or_else(|| Some(os.to_owned()));
            image.arch = image.arch.take().or_else(|| Some(arch.to_owned()));
        }
        if let Some(created) = &file.created {
            let text = if created == "epoch" { "1970-01-01T00:00:00Z" } else { created };
            let time = text.parse();
            let time = time.map_err(|error| self.wrong(format!("created: {error}")))?;
            image.created = image.created.take().or(Some(time));
        }
        let own = file.annotations.into_iter().map(|(name, value)| Pair { name, value });
        image.annotation = own.chain(image.annotation.drain(..)).collect();
        if let Some(from) = file.from {
            let base = self.base(from)?;
            args.from = args.from.take().or(Some(base));
        }
        let mut paths: Vec<_> = file.closure.iter().map(|path| self.at(path)).collect();
        paths.append(&mut args.paths);
        args.paths = paths;
        args.graph = args.graph.take().or_else(|| file.graph.map(|graph| self.at(&graph)));
        if let Some(layers) = file.layers {
            self.layers(layers, args)?;
        }
        if let Some(dialect) = &file.dialect {
            let dialect: Dialect =
                dialect.parse().map_err(|error| self.wrong(format!("dialect: {error}")))?;
            args.layers.dialect = args.layers.dialect.or(Some(dialect));
        }
        let mut extra = Extra { entries: file.made, ..Extra::default() };
        extra.compress = file.compress.map(|compress| self.compress(&compress)).transpose()?;
        for root in file.root {
            let path = self.at(&root.path);
            Self::root(&path, &root.to, args);
            let resolved = fs_err::canonicalize(&path).unwrap_or(path);
            extra.roots.push((resolved, root.to, root.on_conflict));
        }
        extra.rules =
            file.perm.into_iter().map(|perm| self.rule(perm)).collect::<Result<_, _>>()?;
        for entry in &extra.entries {
            entry.check().map_err(|source| self.layer(source))?;
        }
        if !file.config.is_empty() {
            let config = spec_config::config(file.config, &self.folder);
            let wrong = |source| SpecError::Config { path: self.path.to_owned(), source };
            extra.config = Some(config.map_err(wrong)?);
        }
        Ok(extra)
    }

    fn base(&self, from: From) -> Result<std::ffi::OsString, SpecError> {
        let (kind, path) = match (from.archive, from.layout) {
            (Some(archive), None) => ("", archive),
            (None, Some(layout)) => ("oci:", layout),
            _ => return Err(self.wrong("`from` needs `archive` or `layout`")),
        };
        let mut operand = std::ffi::OsString::from(kind);
        operand.push(self.at(&path));
        match (kind, from.name) {
            ("oci:", Some(name)) => operand.push(format!(":{name}")),
            (_, Some(_)) => return Err(self.wrong("`from.name` is for a layout")),
            (_, None) => {}
        }
        Ok(operand)
    }

    fn compress(&self, compress: &Compress) -> Result<Compression, SpecError> {
        let with: Compression =
            compress.algo.parse().map_err(|error| self.wrong(format!("compress: {error}")))?;
        let fixed = match with {
            Compression::Gzip => Some(6),
            Compression::Zstd => Some(3),
            Compression::None => None,
        };
        match compress.level {
            Some(level) if Some(level) != fixed => Err(self.wrong(format!(
                "compress: `{with}` has no level {level} here: the levels are gzip 6 and zstd 3"
            ))),
            _ => Ok(with),
        }
    }

    /// A store path brings its closure; anything else is copied.
    fn root(path: &Path, to: &str, args: &mut SourceArgs) {
        let resolved = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_store =
            |path: &Path| path.to_str().is_some_and(|text| text.parse::<StorePath>().is_ok());
        if is_store(path) || is_store(&resolved) {
            args.copy_to_root.push(path.to_owned());
        } else {
            args.copy.push(Copy { source: path.to_owned(), to: to.to_owned() });
        }
    }

    fn rule(&self, perm: Perm) -> Result<Rule, SpecError> {
        let regex = match (perm.glob, perm.regex) {
            (Some(glob), None) => glob_to_regex(&glob)
                .ok_or_else(|| SpecError::Glob { path: self.path.to_owned(), glob })?,
            (None, Some(regex)) => regex,
            _ => return Err(self.wrong("a `[[perm]]` needs `glob` or `regex`")),
        };
        let caps = perm.caps.join(" ");
        let rule = Rule { regex, uid: perm.uid, gid: perm.gid, mode: perm.mode, caps };
        rule.check().map_err(|source| self.layer(source))?;
        Ok(rule)
    }

    fn layer(&self, source: LayerError) -> SpecError {
        SpecError::Layer { path: self.path.to_owned(), source: Box::new(source) }
    }

    fn layers(&self, layers: Layers, args: &mut SourceArgs) -> Result<(), SpecError> {
        if let Some(strategy) = layers.strategy {
            let layering: Layering = strategy
                .parse()
                .map_err(|error| self.wrong(format!("layers.strategy: {error}")))?;
            let layering = match layering {
                Layering::Pipeline(file) => Layering::Pipeline(self.at(&file)),
                Layering::File(file) => Layering::File(self.at(&file)),
                other => other,
            };
            args.layers.layers = args.layers.layers.take().or(Some(layering));
        }
        if let Some(max) = layers.max {
            if !(1..=127).contains(&max) {
                return Err(self.wrong(format!("layers.max is {max} but must be 1 to 127")));
            }
            args.layers.max_layers = args.layers.max_layers.or(Some(max));
        }
        let mut pins: Vec<_> = layers.pin.iter().map(|pin| pin.join(",")).collect();
        pins.append(&mut args.layers.pin);
        args.layers.pin = pins;
        args.layers.exclude.extend(layers.exclude);
        let rates = layers.rates.map(|rates| self.at(&rates));
        args.layers.rates = args.layers.rates.take().or(rates);
        Ok(())
    }
}
