//! `pc check`.

use cli::{Exit, Io};
use composefile::{FileId, Source, read_tree};

use crate::args::CheckArgs;
use crate::error::PcError;

pub(crate) fn run(args: &CheckArgs, io: &mut Io) -> Result<Exit, PcError> {
    let mut files = args.project.files.clone();
    if files.is_empty() {
        let found = composefile::find(io.env.cwd())
            .ok_or_else(|| PcError::NoFile(io.env.cwd().to_owned()))?;
        files = found
            .files()
            .map(|path| path.strip_prefix(io.env.cwd()).unwrap_or(path).to_owned())
            .collect();
    }
    for (id, path) in files.iter().enumerate() {
        let source = Source::read(path).map_err(PcError::Load)?;
        read_tree(&source.text, FileId(id))
            .map_err(|source| PcError::Syntax { path: path.clone(), source })?;
    }
    Ok(Exit::Done)
}
