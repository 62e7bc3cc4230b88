//! The frame of a tool, on buffers and on streams that fail.
#![expect(clippy::unwrap_used, reason = "a test may end where its own buffers fail")]

use std::ffi::OsString;
use std::io::{self, Read as _, Write};
use std::sync::{Arc, Mutex};

use cli::{Common, CommonArgs, Env, Exit, Failure, Io, StdoutError, outln, run_with};

#[derive(clap::Parser)]
#[command(name = "probe", version, arg_required_else_help = true)]
struct Args {
    /// What to do.
    what: String,
    #[command(flatten)]
    common: CommonArgs,
}

impl Common for Args {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Stdout(#[from] StdoutError),
    #[error("failed to copy")]
    Copy(#[source] io::Error),
    #[error("failed to read `{0}`")]
    Read(&'static str, #[source] io::Error),
}

impl Failure for Fault {
    fn exit(&self) -> Exit {
        match self {
            Self::Stdout(_) | Self::Copy(_) => Exit::Trouble,
            Self::Read(..) => Exit::Own(4),
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Read(..)).then(|| "look again".to_owned())
    }
}

/// A buffer that the test keeps a handle of.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stdout that answers every write with one error.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is the shape that a tool's body has")]
fn body(args: Args, io: &mut Io) -> Result<Exit, Fault> {
    match args.what.as_str() {
        "print" => outln!(io, "one {}", 1)?,
        "much" => {
            for _ in 0..100_000 {
                outln!(io, "0123456789")?;
            }
        }
        "copy" => {
            let mut input = io::repeat(7).take(300_000);
            io::copy(&mut input, &mut io.out).map_err(Fault::Copy)?;
        }
        "socket" => return Err(Fault::Copy(io::ErrorKind::BrokenPipe.into())),
        "words" => {
            io.status("a status");
            io.detail("a detail");
            io.warn("careful");
            io.note("by the way");
        }
        "no" => return Ok(Exit::No),
        "escape" => io.status("bad\u{1b}[2Jname"),
        _ => return Err(Fault::Read("x.nix", io::Error::other("is on fire"))),
    }
    Ok(Exit::Done)
}

fn run_on(out: impl Write + Send + 'static, args: &[&str]) -> (Exit, String) {
    let err = Shared::default();
    let env = Env::of::<&str, &str>("/", []);
    let mut io = Io::for_tests("probe", env, io::empty(), out, err.clone());
    let args = std::iter::once("probe").chain(args.iter().copied()).map(OsString::from);
    let exit = run_with(&mut io, args, body);
    (exit, err.text())
}

fn run(args: &[&str]) -> (Exit, String, String) {
    let out = Shared::default();
    let (exit, err) = run_on(out.clone(), args);
    (exit, out.text(), err)
}

#[test]
fn data_goes_to_stdout_and_nothing_to_stderr() {
    assert_eq!(run(&["print"]), (Exit::Done, "one 1\n".to_owned(), String::new()));
    assert_eq!(run(&["no"]), (Exit::No, String::new(), String::new()));
}

#[test]
fn an_error_names_itself_its_causes_and_the_next_step() {
    let (exit, out, err) = run(&["fail"]);
    assert_eq!((exit, out.as_str()), (Exit::Own(4), ""));
    assert_eq!(err, "probe: failed to read `x.nix`: is on fire\nhint: look again\n");
}

#[test]
fn quiet_silences_words_but_not_warnings() {
    let (_, _, err) = run(&["words"]);
    assert_eq!(err, "a status\nprobe: warning: careful\nprobe: note: by the way\n");
    let (_, _, err) = run(&["words", "-q"]);
    assert_eq!(err, "probe: warning: careful\n");
    let (_, _, err) = run(&["words", "-v", "--color=always"]);
    assert!(err.contains("a detail\n") && err.contains("\u{1b}[1;33mprobe: warning:"), "{err}");
}

#[test]
fn control_bytes_of_names_do_not_reach_the_terminal() {
    let (_, _, err) = run(&["escape"]);
    assert_eq!(err, "bad\\u{1b}[2Jname\n");
}

#[test]
fn a_reader_that_left_is_no_error() {
    for what in ["print", "much", "copy"] {
        let (exit, err) = run_on(Broken(io::ErrorKind::BrokenPipe), &[what]);
        assert_eq!((exit, err.as_str()), (Exit::Done, ""), "{what}");
    }
}

#[test]
fn a_broken_pipe_of_a_socket_is_an_error() {
    let (exit, _, err) = run(&["socket"]);
    assert_eq!((exit, err.as_str()), (Exit::Trouble, "probe: failed to copy: broken pipe\n"));
}

#[test]
fn a_full_disk_is_reported_even_for_the_last_buffer() {
    for what in ["print", "much"] {
        let (exit, err) = run_on(Broken(io::ErrorKind::StorageFull), &[what]);
        assert_eq!(exit, Exit::Trouble, "{what}");
        assert_eq!(err, "probe: failed to write to stdout: no storage space\n", "{what}");
    }
}

#[test]
fn usage_errors_are_2_on_stderr_and_help_is_0_on_stdout() {
    let (exit, out, err) = run(&["--nope"]);
    assert_eq!((exit, out.as_str()), (Exit::Trouble, ""));
    assert!(err.starts_with("probe: unexpected argument '--nope' found"), "{err}");
    let (exit, out, err) = run(&["--help"]);
    assert_eq!((exit, err.as_str()), (Exit::Done, ""));
    assert!(out.contains("Usage: probe"), "{out}");
    let (exit, out, err) = run(&[]);
    assert_eq!((exit, out.as_str()), (Exit::Trouble, ""));
    assert!(err.contains("Usage: probe"), "{err}");
}

#[test]
fn a_tool_may_run_twice_in_one_process() {
    assert_eq!(run(&["print"]), run(&["print"]));
}
