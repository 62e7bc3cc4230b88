//! What is said of each hash.

use cli::{Exit, Io, StdoutError, outln};
use nixexpr::Place;
use serde::Serialize;

use crate::error::HashfixError;
use crate::find::Site;
use crate::recipe::Recipe;

/// A hash, and what came of it.
pub(crate) struct Verdict {
    pub(crate) site: Site,
    /// Where the literal is, as the user would name it.
    pub(crate) place: Place,
    pub(crate) lockfile: String,
    pub(crate) state: State,
}

pub(crate) enum State {
    Fresh { recipe: Recipe, hash: String },
    Stale { recipe: Recipe, hash: String },
    Fixed { recipe: Recipe, hash: String },
    Failed(HashfixError),
}

#[derive(Serialize)]
struct Row<'a> {
    file: String,
    line: u32,
    column: u32,
    lockfile: &'a str,
    state: &'a str,
    recipe: Option<String>,
    old: Option<&'a str>,
    new: Option<&'a str>,
}

impl Verdict {
    fn row(&self) -> Row<'_> {
        let (state, known) = match &self.state {
            State::Fresh { recipe, hash } => ("fresh", Some((recipe, hash))),
            State::Stale { recipe, hash } => ("stale", Some((recipe, hash))),
            State::Fixed { recipe, hash } => ("fixed", Some((recipe, hash))),
            State::Failed(_) => ("failed", None),
        };
        Row {
            file: self.place.file.display().to_string(),
            line: self.place.line,
            column: self.place.column,
            lockfile: &self.lockfile,
            state,
            recipe: known.map(|(recipe, _)| recipe.to_string()),
            old: self.site.literal.hash.as_deref(),
            new: known.map(|(_, hash)| hash.as_str()),
        }
    }
}

/// Prints what is not fresh, or with `json` everything.
pub(crate) fn print(verdicts: &[Verdict], json: bool, io: &mut Io) -> Result<(), StdoutError> {
    if json {
        let rows: Vec<Row> = verdicts.iter().map(Verdict::row).collect();
        // Strings and numbers always have a JSON form.
        outln!(io, "{}", serde_json::to_string(&rows).unwrap_or_default())?;
        return io.out.finish();
    }
    for verdict in verdicts {
        let Row { state, recipe, old, new, .. } = verdict.row();
        let (Some(recipe), Some(new)) = (recipe, new) else { continue };
        let Verdict { place, lockfile, .. } = verdict;
        if state == "fresh" {
            io.detail(format_args!("{place}: fresh: {lockfile} ({recipe})"));
        } else {
            let old = old.unwrap_or("nothing");
            outln!(io, "{place}: {state}: {lockfile} ({recipe}): {old} -> {new}")?;
        }
    }
    // Words about it come after it.
    io.out.finish()
}

/// The worst of all codes: what could not be answered hides what is stale, and never the other way round.
pub(crate) fn exit(codes: impl Iterator<Item = Exit>) -> Exit {
    let rank = |exit: &Exit| match exit {
        Exit::Done => 0,
        Exit::No => 1,
        Exit::Own(4) => 2,
        Exit::Own(_) => 3,
        Exit::Trouble => 4,
    };
    codes.max_by_key(rank).unwrap_or(Exit::Done)
}
