//! The project of a verb: loaded, with what is wrong in it told.

use cli::Io;

use crate::config::problem::Level;
use crate::config::{ConfigError, Loaded, Project, Request, load};

/// Loads a project that is to run. Warnings are printed; the first error is the answer, after all others.
pub(crate) fn open(request: &Request, io: &Io) -> Result<Project, ConfigError> {
    loaded(request, io).map(|loaded| loaded.project)
}

/// The same with everything that was found on the way.
pub(crate) fn loaded(request: &Request, io: &Io) -> Result<Loaded, ConfigError> {
    let loaded = load(request, io)?;
    let is_strict = request.is_strict || loaded.project.is_strict;
    let worst = if is_strict { Level::Strict } else { Level::Error };
    let placed = |problem: &crate::config::problem::Problem| {
        problem.placed(&loaded.project.sources, &loaded.project.folder)
    };
    for problem in loaded.problems.iter().filter(|problem| problem.level > worst) {
        if problem.level < Level::Hint {
            let problem = placed(problem);
            io.warn(&problem);
            if let Some(hint) = problem.hint {
                io.hint(hint);
            }
        }
    }
    let mut errors: Vec<_> =
        loaded.problems.iter().filter(|problem| problem.level <= worst).map(placed).collect();
    let Some(last) = errors.pop() else { return Ok(loaded) };
    for error in errors {
        io.error(&error);
    }
    Err(ConfigError::Problem(last))
}
