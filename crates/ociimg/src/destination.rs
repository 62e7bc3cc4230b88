//! Where an image goes, and in which form.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use oci::compress::Compression;

use crate::args::{Format, OutputArgs};

/// What is written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The plan.
    Plan(Place),
    /// nix2container's `image.json`.
    Nix2container(Place),
    /// One tar.
    Archive { to: Place, compression: Compression },
    /// A folder with blobs and an index; the name is that in the index.
    Layout { folder: PathBuf, name: Option<String>, compression: Compression },
}

/// A stream or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Stdout,
    File(PathBuf),
}

/// What was asked for does not fit together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DestinationError {
    /// Binary data to a screen.
    #[error("an archive is not written to a terminal")]
    Terminal,
    /// `--format` beside `oci:DIR`.
    #[error("`{}` is a layout, so `--format` has nothing to say", .0.display())]
    FormatOfLayout(OsString),
    /// `--compress` beside a plan.
    #[error("a plan has no layers in it that `--compress` could compress")]
    CompressedPlan,
    /// `oci:` with nothing behind it.
    #[error("`{}` names no directory", .0.display())]
    NoFolder(OsString),
    /// `oci:DIR:` with a name that no layout takes.
    #[error("`{0}` is not a name for an image in a layout")]
    Name(String),
    /// Another tool's way to say it.
    #[error("`{}` is not a destination of this program", .0.display())]
    Transport(OsString),
    /// `x.tar.gz`.
    #[error("`{}` would be an archive that is compressed as a whole", .0.display())]
    Suffix(PathBuf),
}

impl DestinationError {
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Terminal => "name a file with `-o FILE`, or pipe it on",
            Self::FormatOfLayout(_) => "leave `--format` out, or name a file",
            Self::CompressedPlan => {
                "give `--compress` to `pushimg`, or ask for an archive by `--format` or a layout by `-o oci:DIR`"
            }
            Self::NoFolder(_) => "write it `oci:DIR` or `oci:DIR:NAME`",
            Self::Name(_) => {
                "use letters and digits, with single separators of `-._:@/+` between them"
            }
            Self::Transport(_) => {
                "say it by `--format oci-archive` or `--format docker-archive`, and `-o FILE`"
            }
            Self::Suffix(_) => {
                "name it `.tar`: its layers are compressed already, and docker and skopeo read them"
            }
        }
    }
}

impl Destination {
    /// Resolves what was typed.
    pub(crate) fn resolve(
        args: &OutputArgs,
        cwd: &Path,
        out_is_terminal: bool,
    ) -> Result<Self, DestinationError> {
        let output = args.output.as_deref().filter(|output| *output != "-");
        if let Some(output) = output
            && let Some(layout) = output.as_bytes().strip_prefix(b"oci:")
        {
            if args.format.is_some() {
                return Err(DestinationError::FormatOfLayout(output.to_owned()));
            }
            return layout_at(output, layout, args.compress, cwd);
        }
        let to = match output {
            Some(path) => Place::File(cwd.join(path)),
            None => Place::Stdout,
        };
        let format = match (args.format, output) {
            (Some(format), _) => format,
            (None, Some(path)) => format_of(path)?,
            (None, None) => Format::Plan,
        };
        let default = match format {
            Format::Plan | Format::Nix2container if args.compress.is_some() => {
                return Err(DestinationError::CompressedPlan);
            }
            Format::Plan => return Ok(Self::Plan(to)),
            Format::Nix2container => return Ok(Self::Nix2container(to)),
            Format::OciArchive => Compression::Gzip,
            // What docker unpacks at once need not be packed.
            Format::DockerArchive => Compression::None,
        };
        if to == Place::Stdout && out_is_terminal {
            return Err(DestinationError::Terminal);
        }
        Ok(Self::Archive { to, compression: args.compress.unwrap_or(default) })
    }

    /// The same, with layers compressed like this where nobody said otherwise. A docker archive stays plain.
    pub(crate) fn compressed(self, with: Compression) -> Self {
        match self {
            Self::Archive { to, compression } if compression != Compression::None => {
                Self::Archive { to, compression: with }
            }
            Self::Layout { folder, name, .. } => Self::Layout { folder, name, compression: with },
            same => same,
        }
    }

    /// What is made or replaced.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Plan(Place::File(path))
            | Self::Nix2container(Place::File(path))
            | Self::Archive { to: Place::File(path), .. } => Some(path),
            Self::Layout { folder, .. } => Some(folder),
            Self::Plan(Place::Stdout)
            | Self::Nix2container(Place::Stdout)
            | Self::Archive { to: Place::Stdout, .. } => None,
        }
    }
}

/// The form that a file's name asks for.
fn format_of(path: &OsStr) -> Result<Format, DestinationError> {
    const TRANSPORTS: [&[u8]; 5] =
        [b"oci-archive:", b"docker-archive:", b"docker-daemon:", b"dir:", b"docker://"];
    const COMPRESSED: [&[u8]; 5] = [b".tar.gz", b".tgz", b".tar.zst", b".tar.xz", b".tar.bz2"];
    let bytes = path.as_bytes();
    if TRANSPORTS.iter().any(|transport| bytes.starts_with(transport)) {
        return Err(DestinationError::Transport(path.to_owned()));
    }
    if COMPRESSED.iter().any(|suffix| bytes.ends_with(suffix)) {
        return Err(DestinationError::Suffix(path.into()));
    }
    Ok(if bytes.ends_with(b".tar") { Format::OciArchive } else { Format::Plan })
}

/// `DIR` or `DIR:NAME`.
fn layout_at(
    output: &OsStr,
    layout: &[u8],
    compress: Option<Compression>,
    cwd: &Path,
) -> Result<Destination, DestinationError> {
    // A colon before a slash belongs to the directory.
    let colon = layout.iter().rposition(|b| *b == b':').filter(|at| !layout[*at..].contains(&b'/'));
    let (folder, name) = match colon {
        Some(at) => (&layout[..at], Some(&layout[at + 1..])),
        None => (layout, None),
    };
    if folder.is_empty() {
        return Err(DestinationError::NoFolder(output.to_owned()));
    }
    let name = name.map(checked_name).transpose()?;
    let folder = cwd.join(OsStr::from_bytes(folder));
    Ok(Destination::Layout { folder, name, compression: compress.unwrap_or(Compression::Gzip) })
}

/// The grammar of `org.opencontainers.image.ref.name`, which is that of a tag and a little more.
fn checked_name(name: &[u8]) -> Result<String, DestinationError> {
    let is_word = |b: &u8| b.is_ascii_alphanumeric();
    let is_separator =
        |part: &[u8]| matches!(part, [] | [b'-' | b'.' | b'_' | b':' | b'@' | b'/' | b'+'] | b"--");
    let edges = [name.first(), name.last()];
    let is_good =
        edges.iter().all(|edge| edge.is_some_and(is_word)) && name.split(is_word).all(is_separator);
    match str::from_utf8(name) {
        Ok(name) if is_good => Ok(name.to_owned()),
        _ => Err(DestinationError::Name(String::from_utf8_lossy(name).into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::DestinationError as E;
    use super::*;

    fn resolve(
        output: &str,
        format: Option<Format>,
        compress: Option<Compression>,
    ) -> Result<Destination, DestinationError> {
        let output = Some(output).filter(|output| !output.is_empty()).map(OsString::from);
        Destination::resolve(&OutputArgs { format, output, compress }, Path::new("/w"), false)
    }

    #[test]
    fn the_form_follows_from_the_name_unless_it_is_said() {
        use Compression::{Gzip, None as Plain, Zstd};
        let file = |name: &str| Place::File(Path::new("/w").join(name));
        let archive = |to, compression| Destination::Archive { to, compression };
        for (output, format, compress, expected) in [
            ("", None, None, Destination::Plan(Place::Stdout)),
            ("-", None, None, Destination::Plan(Place::Stdout)),
            ("./-", None, None, Destination::Plan(file("./-"))),
            ("plan.json", None, None, Destination::Plan(file("plan.json"))),
            ("x.tar", None, None, archive(file("x.tar"), Gzip)),
            ("x.tar", Some(Format::DockerArchive), None, archive(file("x.tar"), Plain)),
            ("x", Some(Format::OciArchive), Some(Zstd), archive(file("x"), Zstd)),
            ("-", Some(Format::DockerArchive), Some(Gzip), archive(Place::Stdout, Gzip)),
            ("x.tar", Some(Format::Plan), None, Destination::Plan(file("x.tar"))),
        ] {
            assert_eq!(resolve(output, format, compress).unwrap(), expected, "{output}");
        }
    }

    #[test]
    fn a_layout_has_a_folder_and_perhaps_a_name() {
        let layout = |folder: &str, name: Option<&str>| Destination::Layout {
            folder: folder.into(),
            name: name.map(str::to_owned),
            compression: Compression::Gzip,
        };
        for (output, expected) in [
            ("oci:out", layout("/w/out", None)),
            ("oci:out:v1", layout("/w/out", Some("v1"))),
            ("oci:/a:b/out", layout("/a:b/out", None)),
            ("oci:a:b:c", layout("/w/a:b", Some("c"))),
        ] {
            assert_eq!(resolve(output, None, None).unwrap(), expected, "{output}");
        }
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let error = |output: &str, format, compress| resolve(output, format, compress).unwrap_err();
        assert!(matches!(error("oci:x", Some(Format::Plan), None), E::FormatOfLayout(_)));
        assert!(matches!(error("", None, Some(Compression::Gzip)), E::CompressedPlan));
        assert!(matches!(error("oci:", None, None), E::NoFolder(_)));
        for name in ["oci:x:", "oci:x:-a", "oci:x:a..b", "oci:x:a b"] {
            assert!(matches!(error(name, None, None), E::Name(_)), "{name}");
        }
        assert!(matches!(error("docker-archive:x.tar", None, None), E::Transport(_)));
        assert!(matches!(error("x.tar.gz", None, None), E::Suffix(_)));
        let archive = OutputArgs { format: Some(Format::OciArchive), output: None, compress: None };
        let refused = Destination::resolve(&archive, Path::new("/w"), true);
        assert!(matches!(refused, Err(E::Terminal)));
    }
}
