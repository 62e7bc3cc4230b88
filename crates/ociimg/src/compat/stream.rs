//! dockerTools' `stream_layered_image.py`.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use cli::{Exit, Io, Var};
use fs_err as fs;
use oci::dockertools::{Conf, Owner, StreamOptions, stream};
use oci::layer::StoreRoot;

use super::args::StreamArgs;
use crate::error::BuildError;
use crate::input::read_operand;
use crate::write::SPOOL;

/// A list of more layers than a registry takes is smaller.
const LIMIT: u64 = 64 << 20;

pub(super) fn run(args: &StreamArgs, io: &mut Io) -> Result<Exit, BuildError> {
    let bytes = read_operand(&args.conf, LIMIT, io)?;
    let of = |source| BuildError::Conf { path: args.conf.clone(), source: Box::new(source) };
    let conf = Conf::parse(&bytes).map_err(of)?;
    if io.out_is_terminal() {
        return Err(crate::destination::DestinationError::Terminal.into());
    }
    let root = StoreRoot::at(io.env.cwd().join(&args.store_root));
    let spool = io.env.get(Var::TmpDir).map_or_else(|| PathBuf::from(SPOOL), PathBuf::from);
    let (users, groups) = (names("/etc/passwd"), names("/etc/group"));
    let owner = |uid, gid| Owner {
        uname: users
            .iter()
            .find(|(id, _)| *id == uid)
            .map(|(_, name)| name.clone())
            .unwrap_or_default(),
        gname: groups
            .iter()
            .find(|(id, _)| *id == gid)
            .map(|(_, name)| name.clone())
            .unwrap_or_default(),
    };
    let lines = std::cell::RefCell::new(Vec::new());
    let log = |line: &str| lines.borrow_mut().push(line.to_owned());
    let options = StreamOptions {
        root: &root,
        repo_tag: args.repo_tag.as_deref(),
        now: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        owner: &owner,
        spool: &spool,
        log: &log,
    };
    let result = stream(&conf, &options, &mut io.out);
    for line in lines.into_inner() {
        io.detail(line);
    }
    result.map_err(of)?;
    Ok(Exit::Done)
}

/// The names of users or groups by their numbers; the first one of each counts.
fn names(file: &str) -> Vec<(u32, String)> {
    let Ok(text) = fs::read(Path::new(file)) else { return Vec::new() };
    let text = String::from_utf8_lossy(&text);
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((fields.nth(1)?.parse().ok()?, name))
    };
    text.lines().filter_map(entry).collect()
}
