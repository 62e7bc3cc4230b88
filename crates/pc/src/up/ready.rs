//! Processes that tell by themselves that they are ready: `READY=1` on a socket, or a line feed on a descriptor.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use rustix::io::{ioctl_fionbio, read};
use rustix::pipe::{PipeFlags, pipe_with};

use super::machine::{Machine, READY, token};
use crate::config::model::{Check, Process};
use crate::engine::{Event, Id, ProbeKind};
use crate::os::{Lease, Poller};

/// What a process is started with so that it can tell.
#[derive(Debug, Default)]
pub(super) struct Means {
    pub(super) variables: Vec<(&'static str, String)>,
    pub(super) extra: Option<(OwnedFd, RawFd)>,
}

#[derive(Debug)]
enum Ear {
    Socket(UnixDatagram, PathBuf),
    Pipe(OwnedFd),
}

/// What we listen on, by process.
#[derive(Debug, Default)]
pub(super) struct ReadySockets {
    ears: BTreeMap<usize, (Ear, ProbeKind)>,
}

impl ReadySockets {
    /// Listens for a process that is about to start.
    pub(super) fn open(
        &mut self,
        index: usize,
        process: &Process,
        lease: Option<&Lease>,
        poller: &mut Poller,
    ) -> io::Result<Means> {
        self.close(index, poller);
        let probes = [
            (ProbeKind::Startup, &process.startup_probe),
            (ProbeKind::Readiness, &process.readiness_probe),
            (ProbeKind::Liveness, &process.liveness_probe),
        ];
        let token = token(READY, index as u64);
        for (kind, probe) in probes {
            match probe.as_ref().map(|probe| &probe.check) {
                Some(Check::NotifySocket) => {
                    let folder = lease.map(Lease::folder).ok_or_else(|| {
                        io::Error::other("there is no folder for its notification socket")
                    })?;
                    let path = folder.join(format!(
                        "{}-{index}.sock",
                        rustix::process::getpid().as_raw_nonzero()
                    ));
                    match fs_err::remove_file(&path) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                        _ => {}
                    }
                    let socket = UnixDatagram::bind(&path)?;
                    socket.set_nonblocking(true)?;
                    poller.add(&socket, token)?;
                    let variables = vec![("NOTIFY_SOCKET", path.display().to_string())];
                    self.ears.insert(index, (Ear::Socket(socket, path), kind));
                    return Ok(Means { variables, extra: None });
                }
                Some(Check::NotifyFd(number)) => {
                    let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
                    ioctl_fionbio(&ours, true)?;
                    poller.add(&ours, token)?;
                    self.ears.insert(index, (Ear::Pipe(ours), kind));
                    return Ok(Means { variables: Vec::new(), extra: Some((theirs, *number)) });
                }
                _ => {}
            }
        }
        Ok(Means::default())
    }

    /// Listens no more.
    pub(super) fn close(&mut self, index: usize, poller: &mut Poller) {
        let token = token(READY, index as u64);
        match self.ears.remove(&index) {
            Some((Ear::Socket(socket, path), _)) => {
                poller.remove(&socket, token);
                // It is in a folder of ours; one that is left is removed by the next start.
                let _removed = fs_err::remove_file(path);
            }
            Some((Ear::Pipe(pipe), _)) => poller.remove(&pipe, token),
            None => {}
        }
    }

    /// Whether the process said that it is ready, since the last look; and whether it can say so again.
    fn heard(&self, index: usize) -> Option<(ProbeKind, bool, bool)> {
        let (ear, kind) = self.ears.get(&index)?;
        let mut bytes = [0; 4096];
        match ear {
            Ear::Socket(socket, _) => {
                let mut is_ready = false;
                while let Ok(length) = socket.recv(&mut bytes) {
                    let mut lines = bytes[..length].split(|&byte| byte == b'\n');
                    is_ready |= lines.any(|line| line == b"READY=1");
                }
                Some((*kind, is_ready, false))
            }
            Ear::Pipe(pipe) => {
                let mut is_ready = false;
                loop {
                    match read(pipe, &mut bytes) {
                        Ok(0) => return Some((*kind, is_ready, true)),
                        Ok(length) => is_ready |= bytes[..length].contains(&b'\n'),
                        Err(_) => return Some((*kind, is_ready, false)),
                    }
                }
            }
        }
    }
}

impl Machine<'_> {
    /// Hears what a process says of itself.
    pub(super) fn take_ready(&mut self, index: usize) {
        let Some((kind, is_ready, is_closed)) = self.ready.heard(index) else { return };
        let generation = self.bodies[index].as_ref().map(|body| body.generation);
        if is_closed {
            self.ready.close(index, &mut self.poller);
        }
        if let Some(generation) = generation.filter(|_| is_ready) {
            self.events.push_back(Event::Probed { id: Id(index), generation, kind, ok: true });
        }
    }
}
