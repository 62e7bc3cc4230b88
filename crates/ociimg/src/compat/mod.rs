//! `ociimg compat`: stands in for nix2container's program and for dockerTools' stream script, with their
//! arguments, files and bytes. Under their names the program does so by itself.

mod args;
mod nix2container;
mod stream;

use std::ffi::OsString;
use std::path::Path;

pub(crate) use args::{CompatArgs, Peer};
use cli::{Exit, Io};

use crate::error::BuildError;

/// Does what the peer would do.
pub(crate) fn run(args: &CompatArgs, io: &mut Io) -> Result<Exit, BuildError> {
    match &args.peer {
        Peer::Nix2container(args) => nix2container::run(args, io),
        Peer::StreamLayeredImage(args) => stream::run(args, io),
    }
}

/// Arguments for the peer whose name the program was called by, else those that there are.
pub(crate) fn by_own_name(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let own =
        args.first().and_then(|name| Path::new(name).file_name()).and_then(|name| name.to_str());
    let peer = match own {
        Some("nix2container") => "nix2container",
        Some("stream_layered_image" | "stream_layered_image.py" | "stream-layered-image") => {
            "stream-layered-image"
        }
        _ => return args,
    };
    args.splice(1..1, ["compat".into(), peer.into()]);
    args
}

#[cfg(test)]
mod tests {
    use super::by_own_name;

    #[test]
    fn the_name_says_what_is_meant() {
        let args = |line: &str| {
            let args = by_own_name(line.split(' ').map(Into::into));
            args.into_iter().map(|arg| arg.into_string().unwrap()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(args("/bin/ociimg build"), "/bin/ociimg build");
        assert_eq!(
            args("/bin/nix2container image a"),
            "/bin/nix2container compat nix2container image a"
        );
        assert_eq!(
            args("stream_layered_image c.json"),
            "stream_layered_image compat stream-layered-image c.json"
        );
    }
}
