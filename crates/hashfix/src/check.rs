//! `hashfix all`, `hashfix yarn`, …: every hash that is found is compared with what its lockfile gives.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use cli::{Exit, Failure as _, Io, escape};
use gitcmd::Git;
use nixdata::{Algorithm, Hash};

use crate::args::CheckArgs;
use crate::edit::{self, Edit};
use crate::error::HashfixError;
use crate::find::{self, Kind, Site};
use crate::kitchen::{self, Kitchen};
use crate::recipe::{self, PlanError, Recipe};
use crate::report::{self, State, Verdict};
use crate::results::Results;
use crate::view::{Disk, View, plain};

/// Folders are walked so deep where there is no git to ask.
const MAX_DEPTH: usize = 32;

/// Checks, or with `--fix` mends, the hashes of one kind or of all.
pub(crate) fn run(kind: Option<Kind>, args: &CheckArgs, io: &mut Io) -> Result<Exit, HashfixError> {
    let cwd = io.env.cwd().to_owned();
    let git = Git::around(&cwd);
    let (root, files) = if git.root().join(".git").exists() {
        (git.root().to_owned(), git.files()?)
    } else {
        let mut files = Vec::new();
        walk(&cwd, Path::new(""), 0, &mut files).map_err(HashfixError::Walk)?;
        (cwd.clone(), files)
    };
    let paths = selection(&args.paths, &root, &cwd)?;
    let view = Disk { root: &root };
    let named = paths.iter().flatten().filter(|path| view.has(path)).cloned();
    let mut files: Vec<PathBuf> =
        files.into_iter().chain(named).filter(|path| is_nix(path)).collect();
    files.sort();
    files.dedup();

    let mut run = Desk { root: &root, cwd: &cwd, view: &view, args, texts: BTreeMap::new() };
    let mut errors = Vec::new();
    let mut sites = Vec::new();
    for file in files {
        match run.find(&file, kind, io) {
            Ok(found) => sites.extend(found),
            Err(error) => errors.push(error),
        }
    }
    if let Some(paths) = &paths {
        let is_in = |path: &Path| paths.iter().any(|wanted| path.starts_with(wanted));
        sites.retain(|site: &Site| {
            [&site.file, &site.lockfile, &site.literal.file].into_iter().any(|path| is_in(path))
        });
    }
    if sites.is_empty() && errors.is_empty() {
        io.note("no hash of a lockfile is found here");
    }
    let mut verdicts = Vec::new();
    let mut results = Results::below(&kitchen::cache(&io.env)?);
    for site in sites {
        let verdict = run.judge(site, &mut results, io);
        verdicts.push(verdict);
    }
    if args.fix {
        run.fix(&mut verdicts);
    }
    finish(kind, args, &verdicts, &errors, io)
}

/// Says everything, and how it ends.
fn finish(
    kind: Option<Kind>,
    args: &CheckArgs,
    verdicts: &[Verdict],
    errors: &[HashfixError],
    io: &mut Io,
) -> Result<Exit, HashfixError> {
    report::print(verdicts, args.json, io)?;
    let mut codes: Vec<Exit> = errors.iter().map(cli::Failure::exit).collect();
    for error in errors {
        io.error(error);
    }
    for verdict in verdicts {
        codes.push(match &verdict.state {
            State::Fresh { .. } | State::Fixed { .. } => Exit::Done,
            State::Stale { .. } => Exit::No,
            State::Failed(error) => {
                io.error(error);
                error.exit()
            }
        });
    }
    if codes.contains(&Exit::No) {
        let verb = match kind {
            None => "all",
            Some(Kind::Npm) => "npm",
            Some(Kind::Cargo) => "cargo",
            Some(_) => "yarn",
        };
        let paths: Vec<String> =
            args.paths.iter().map(|path| format!(" {}", path.display())).collect();
        io.hint(format_args!(
            "`hashfix {verb} --fix{}` writes what is new",
            escape(&paths.concat())
        ));
    }
    Ok(report::exit(codes.into_iter()))
}

/// One run over one state of the files.
struct Desk<'a> {
    root: &'a Path,
    cwd: &'a Path,
    view: &'a dyn View,
    args: &'a CheckArgs,
    /// The files with literals, as they were when their literals were found.
    texts: BTreeMap<PathBuf, Vec<u8>>,
}

impl Desk<'_> {
    /// The hashes of one Nix file.
    fn find(&self, file: &Path, kind: Option<Kind>, io: &Io) -> Result<Vec<Site>, HashfixError> {
        // What git tracks may be deleted on disk.
        let Some(bytes) = self.view.read(file) else { return Ok(Vec::new()) };
        if !find::may_have(&String::from_utf8_lossy(&bytes)) {
            return Ok(Vec::new());
        }
        let path = || escape(&self.shown(file).display().to_string()).into_owned();
        let Ok(text) = String::from_utf8(bytes) else {
            return Err(HashfixError::NotText { path: path() });
        };
        let found = find::find(file, &text, self.view)
            .map_err(|source| HashfixError::Nix { path: path(), source })?;
        let is_wanted = |other: Kind| kind.is_none_or(|kind| kind == other);
        for unclear in found.unclear.iter().filter(|unclear| is_wanted(unclear.kind)) {
            let place = nixexpr::place_in(&self.shown(file), &text, unclear.at);
            io.warn(format_args!("{place}: {}, so it is not checked", unclear.what));
        }
        Ok(found.sites.into_iter().filter(|site| is_wanted(site.kind)).collect())
    }

    /// What one hash should be.
    fn judge(&mut self, site: Site, results: &mut Results, io: &Io) -> Verdict {
        let file = &site.literal.file;
        let bytes = self.view.read(file).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let place = nixexpr::place_in(&self.shown(file), &text, site.literal.span.start);
        self.texts.entry(file.clone()).or_insert(bytes);
        let lockfile = self.shown(&site.lockfile).display().to_string();
        // The file was read once for its calls, and now for its literal.
        let written = self.texts[file].get(site.literal.span.clone());
        let written = written.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let is_same = written.is_some_and(|text| {
            site.literal.hash.as_deref().is_none_or(|hash| hash == text.trim())
        });
        let state = if is_same {
            self.state(&site, results, io)
        } else {
            let path = self.shown(file).display().to_string();
            Err(HashfixError::Changed { path })
        };
        let state = state.unwrap_or_else(|error| {
            let place = place.to_string();
            State::Failed(HashfixError::At { place, source: Box::new(error) })
        });
        Verdict { site, place, lockfile, state }
    }

    fn state(&self, site: &Site, results: &mut Results, io: &Io) -> Result<State, HashfixError> {
        if let Some(version) = site.version.filter(|version| *version != 1) {
            return Err(HashfixError::FetcherVersion { version });
        }
        let lockfile = self.view.read(&site.lockfile).unwrap_or_default();
        let old = site.literal.hash.as_deref().and_then(parse);
        let said = self.args.recipe.filter(|recipe| kind_of(*recipe) == site.kind);
        let shown = self.shown(&site.lockfile);
        let first = recipe::plan(&shown, &lockfile, said);
        let ambiguous = match first {
            Ok((recipe, _)) => {
                let hash = self.hash(site, recipe, &lockfile, results, io)?;
                let sri = hash.sri();
                return Ok(if old == Some(hash) {
                    State::Fresh { recipe, hash: sri }
                } else {
                    State::Stale { recipe, hash: sri }
                });
            }
            Err(error @ PlanError::Ambiguous { .. }) => error,
            Err(error) => return Err(error.into()),
        };
        // The hash that is there says of which recipe it is, as long as it is fresh.
        for recipe in [Recipe::Yarn1, Recipe::Yarn1Before2026] {
            let hash = self.hash(site, recipe, &lockfile, results, io)?;
            if old == Some(hash) {
                return Ok(State::Fresh { recipe, hash: hash.sri() });
            }
        }
        Err(ambiguous.into())
    }

    fn hash(
        &self,
        site: &Site,
        recipe: Recipe,
        lockfile: &[u8],
        results: &mut Results,
        io: &Io,
    ) -> Result<Hash, HashfixError> {
        if let Some(hash) = results.get(recipe, lockfile) {
            return Ok(hash);
        }
        let (_, plan) = recipe::plan(&self.shown(&site.lockfile), lockfile, Some(recipe))?;
        let is_pinned = plan.downloads.iter().all(|download| download.hash.is_some());
        let path = self.root.join(&site.lockfile);
        let fetched = Kitchen::open(&path, &self.args.fetch, io)?.cook(plan, io::sink())?;
        let hash = fetched.id.hash;
        results.put(recipe, lockfile, hash, is_pinned).map_err(HashfixError::Cache)?;
        Ok(hash)
    }

    /// Writes what is stale, file by file; what cannot be written says why in its own place.
    fn fix(&self, verdicts: &mut [Verdict]) {
        let mut files: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
        for (number, verdict) in verdicts.iter().enumerate() {
            if matches!(verdict.state, State::Stale { .. }) {
                files.entry(verdict.site.literal.file.clone()).or_default().push(number);
            }
        }
        let disputed: Vec<bool> = (0..verdicts.len()).map(|at| is_disputed(verdicts, at)).collect();
        for (file, numbers) in files {
            let mut edits: Vec<Edit> = Vec::new();
            let mut written = Vec::new();
            for number in numbers {
                let Some(edit) = edit_of(&verdicts[number]) else { continue };
                if disputed[number] {
                    fail(&mut verdicts[number], HashfixError::Shared);
                    continue;
                }
                if !edits.contains(&edit) {
                    edits.push(edit);
                }
                written.push(number);
            }
            if edits.is_empty() {
                continue;
            }
            let before = self.texts.get(&file).map(Vec::as_slice).unwrap_or_default();
            let path = || self.shown(&file).display().to_string();
            let outcome =
                edit::replace(&self.root.join(&file), before, &edit::apply(before, &edits));
            for number in written {
                let verdict = &mut verdicts[number];
                match &outcome {
                    Ok(true) => {
                        if let State::Stale { recipe, hash } = &verdict.state {
                            verdict.state = State::Fixed { recipe: *recipe, hash: hash.clone() };
                        }
                    }
                    Ok(false) => fail(verdict, HashfixError::Changed { path: path() }),
                    Err(error) => {
                        let source = io::Error::new(error.kind(), error.to_string());
                        fail(verdict, HashfixError::Edit { path: path(), source });
                    }
                }
            }
        }
    }

    /// A path as the user would write it where they are.
    fn shown(&self, path: &Path) -> PathBuf {
        let here = self.cwd.strip_prefix(self.root).unwrap_or(Path::new(""));
        let common = here.components().zip(path.components()).take_while(|(a, b)| a == b).count();
        let up = here.components().skip(common).map(|_| "..");
        up.map(PathBuf::from)
            .chain(path.components().skip(common).map(|part| PathBuf::from(part.as_os_str())))
            .collect()
    }
}

/// What is changed for a stale hash.
fn edit_of(verdict: &Verdict) -> Option<Edit> {
    let State::Stale { hash, .. } = &verdict.state else { return None };
    let literal = &verdict.site.literal;
    let text = if literal.quoted { format!("\"{hash}\"") } else { hash.clone() };
    Some(Edit { span: literal.span.clone(), text })
}

/// Whether another call has the same literal, and wants another hash there.
fn is_disputed(verdicts: &[Verdict], number: usize) -> bool {
    let Verdict { site, state, .. } = &verdicts[number];
    let wanted = wanted(state);
    verdicts
        .iter()
        .any(|other| other.site.literal == site.literal && wanted != self::wanted(&other.state))
}

/// What a hash should be, where that is known.
fn wanted(state: &State) -> Option<&str> {
    match state {
        State::Fresh { hash, .. } | State::Stale { hash, .. } | State::Fixed { hash, .. } => {
            Some(hash)
        }
        State::Failed(_) => None,
    }
}

fn fail(verdict: &mut Verdict, error: HashfixError) {
    let place = verdict.place.to_string();
    verdict.state = State::Failed(HashfixError::At { place, source: Box::new(error) });
}

fn kind_of(recipe: Recipe) -> Kind {
    match recipe {
        Recipe::Yarn1 | Recipe::Yarn1Before2026 => Kind::Yarn,
        Recipe::Npm1 => Kind::Npm,
        Recipe::Cargo => Kind::Cargo,
    }
}

/// A hash as people write it; Nix takes an SRI without its padding too.
fn parse(text: &str) -> Option<Hash> {
    let padded = |text: &str| format!("{}=", text.trim_end_matches('='));
    let hash = Hash::parse_with(text, Algorithm::Sha256);
    hash.or_else(|_| Hash::parse_with(&padded(text), Algorithm::Sha256)).ok()
}

fn is_nix(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "nix")
}

/// The paths that were named, from the root; none where everything is meant.
fn selection(
    paths: &[PathBuf],
    root: &Path,
    cwd: &Path,
) -> Result<Option<Vec<PathBuf>>, HashfixError> {
    if paths.is_empty() {
        return Ok(None);
    }
    let whole_root = fs_err::canonicalize(root).map_err(HashfixError::Walk)?;
    let from_root = |path: &PathBuf| {
        let shown = || escape(&path.display().to_string()).into_owned();
        let whole = fs_err::canonicalize(cwd.join(path))
            .map_err(|source| HashfixError::Path { path: shown(), source })?;
        let inside = whole.strip_prefix(&whole_root).ok().and_then(plain);
        inside.ok_or_else(|| HashfixError::Outside {
            path: shown(),
            root: root.display().to_string(),
        })
    };
    paths.iter().map(from_root).collect::<Result<_, _>>().map(Some)
}

/// The files below a folder that git does not know.
fn walk(root: &Path, below: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Ok(());
    }
    for entry in fs_err::read_dir(root.join(below))? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let path = below.join(&name);
        if kind.is_dir() && name != "node_modules" && !name.as_encoded_bytes().starts_with(b".") {
            walk(root, &path, depth + 1, files)?;
        } else if !kind.is_dir() && is_nix(&path) {
            files.push(path);
        }
    }
    Ok(())
}
