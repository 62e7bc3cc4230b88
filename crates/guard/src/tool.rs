//! The subcommands.

use std::io::Read as _;
use std::path::Path;

use cli::{Exit, Failure, Io, outln};

use crate::args::{Arguments, BaselineArgs, CommandArgs, Fail, FilesArgs, Format, HookArgs, What};
use crate::baseline::Baseline;
use crate::error::GuardError;
use crate::files::{self, Judged, Selection};
use crate::finding::Finding;
use crate::hook::{Call, MAX_CALL_BYTES};
use crate::input;
use crate::judge::{Disk, Judge, MAX_BYTES};
use crate::policy::{DEFAULT, Policy};
use crate::report::{self, Counts};
use crate::shell::{Place, Text};

/// Does what was asked.
pub(crate) fn run(args: &Arguments, io: &mut Io) -> Result<Exit, GuardError> {
    let config = args.config.as_deref();
    match &args.what {
        What::Command(args) => command(args, config, io),
        What::Files(args) => files(args, config, io),
        What::Hook(args) => hook(args, config, io),
        What::Baseline(args) => baseline(args, config, io),
        What::Default(_) => {
            io.out.bytes(DEFAULT.as_bytes())?;
            Ok(Exit::Done)
        }
    }
}

fn command(args: &CommandArgs, config: Option<&Path>, io: &mut Io) -> Result<Exit, GuardError> {
    let text =
        if args.text.is_empty() { input::text(stdin(io, MAX_BYTES)?) } else { args.text.join(" ") };
    let folder = io.env.cwd().to_owned();
    let policy = Policy::find(&folder, config)?;
    let judge = Judge { policy: &policy, tree: &Disk, folder: &folder };
    let mut findings = judge.text(&Text { text, place: Place::START }, None)?;
    findings.sort_by(|a, b| (a.place, a.rule, &a.text).cmp(&(b.place, b.rule, &b.text)));
    findings.dedup();
    let counts = print(&policy, &findings, args.format, io)?;
    Ok(if counts.refused > 0 { Exit::No } else { Exit::Done })
}

fn files(args: &FilesArgs, config: Option<&Path>, io: &mut Io) -> Result<Exit, GuardError> {
    let selection = if args.staged {
        Selection::Staged
    } else if args.all {
        Selection::All
    } else {
        Selection::Paths(args.paths.clone())
    };
    let folder = io.env.cwd().to_owned();
    let policy = Policy::find(&folder, config)?;
    let mut judged = files::judge(&policy, &folder, &selection)?;
    let baseline = Baseline::read(&policy.baseline)?;
    let gone = baseline.keep_new(&mut judged.findings, &policy);
    let counts = print(&policy, &judged.findings, args.format, io)?;
    let faults = tell(&mut judged, &policy, io);
    // Only a look at everything can say that something is gone.
    if gone > 0 && selection == Selection::All && faults == 0 {
        io.note(format_args!(
            "{gone} of {} tolerated findings are gone: run `guard baseline --write`",
            baseline.len()
        ));
    }
    if counts != Counts::default() {
        let warned = match counts.warnings {
            0 => String::new(),
            1 => ", 1 warning".to_owned(),
            count => format!(", {count} warnings"),
        };
        let files = if judged.files == 1 { "file" } else { "files" };
        let (refused, judged) = (counts.refused, judged.files);
        io.status(format_args!("{refused} refused{warned}: {judged} {files} judged"));
    }
    Ok(match (faults, counts.refused) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::No,
        _ => Exit::Trouble,
    })
}

fn hook(args: &HookArgs, config: Option<&Path>, io: &mut Io) -> Result<Exit, GuardError> {
    let fault = |error: GuardError| match args.fail {
        Fail::Open => GuardError::LetPass(Box::new(error)),
        Fail::Closed => GuardError::Refused(Box::new(error)),
    };
    let verdicts = call(config, io).map_err(fault)?;
    let mut is_refused = false;
    for Verdict { is_refusal, message, instead } in verdicts {
        if is_refusal {
            is_refused = true;
            io.error(&Refusal { message, instead });
        } else {
            io.warn(message);
            if let Some(instead) = instead {
                io.hint(instead);
            }
        }
    }
    Ok(if is_refused { Exit::Own(2) } else { Exit::Done })
}

/// What is said about one thing that a tool call does.
struct Verdict {
    is_refusal: bool,
    message: String,
    instead: Option<String>,
}

/// A refusal, as an agent reads it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Refusal {
    message: String,
    instead: Option<String>,
}

impl Failure for Refusal {
    fn hint(&self) -> Option<String> {
        self.instead.clone()
    }
}

fn call(config: Option<&Path>, io: &mut Io) -> Result<Vec<Verdict>, GuardError> {
    let call = Call::parse(&stdin(io, MAX_CALL_BYTES)?)?;
    let folder = call.folder().unwrap_or(io.env.cwd()).to_owned();
    let policy = Policy::find(&folder, config)?;
    let baseline = Baseline::read(&policy.baseline)?;
    let findings = call.judge(&policy, &folder, &baseline)?;
    let lines = report::lines(&policy, &folder, &findings);
    let verdicts = lines.iter().map(|line| Verdict {
        is_refusal: line.is_refusal(),
        message: line.refusal(),
        instead: line.instead(),
    });
    Ok(verdicts.collect())
}

fn baseline(args: &BaselineArgs, config: Option<&Path>, io: &mut Io) -> Result<Exit, GuardError> {
    let folder = io.env.cwd().to_owned();
    let policy = Policy::find(&folder, config)?;
    let mut judged = files::judge(&policy, &folder, &Selection::All)?;
    let baseline = Baseline::of(&judged.findings, &policy);
    let count = tell(&mut judged, &policy, io);
    if count > 0 {
        return Err(GuardError::Incomplete { count });
    }
    if args.write {
        baseline.write(&policy.baseline)?;
        let file = report::display(&policy, &folder, &policy.baseline);
        let findings = if baseline.len() == 1 { "finding" } else { "findings" };
        io.status(format_args!("{file}: {} {findings} tolerated", baseline.len()));
    } else {
        io.out.bytes(baseline.text().as_bytes())?;
    }
    Ok(Exit::Done)
}

/// Prints findings, and counts them.
fn print(
    policy: &Policy,
    findings: &[Finding],
    format: Format,
    io: &mut Io,
) -> Result<Counts, GuardError> {
    let folder = io.env.cwd().to_owned();
    let lines = report::lines(policy, &folder, findings);
    if format == Format::Json {
        outln!(io, "{}", report::json(&lines)?)?;
    }
    for line in &lines {
        match format {
            Format::Human => outln!(io, "{}", cli::escape(&line.human()))?,
            Format::Github => outln!(io, "{}", line.github())?,
            Format::Json => {}
        }
    }
    // Where both streams go to one place, the findings come before what is said of them.
    io.out.finish()?;
    Ok(report::counts(&lines))
}

/// Says what could not be judged, answering how much that is, and which excuses do not count.
fn tell(judged: &mut Judged, policy: &Policy, io: &Io) -> usize {
    for (path, line) in &judged.unreasoned {
        let path = report::display(policy, io.env.cwd(), path);
        io.warn(format_args!("{path}:{line}: `guard:allow` gives no reason, so it allows nothing"));
    }
    let faults = judged.faults.len();
    for fault in judged.faults.drain(..) {
        io.error(&GuardError::from(fault));
    }
    faults
}

fn stdin(io: &mut Io, limit: u64) -> Result<Vec<u8>, GuardError> {
    let mut bytes = Vec::new();
    io.stdin()?.take(limit + 1).read_to_end(&mut bytes).map_err(GuardError::Stdin)?;
    if bytes.len() as u64 > limit { Err(GuardError::TooMuch { limit }) } else { Ok(bytes) }
}
