//! What the loop hears: signals, other threads, the end and the output of processes.

use rustix::process::Signal;

use super::body::{DRAIN, TURN};
use super::machine::{LEADER, Machine, STREAM, token};
use super::output::Found;
use super::watcher::Watcher;
use crate::engine::{Event, Generation, Id};
use crate::logs::Stream;
use crate::os::{Origin, send, signal_named};

impl Machine<'_> {
    pub(super) fn take_signals(&mut self) {
        while let Some(received) = self.signals.next() {
            let signal = signal_named(received.number);
            if received.number == Signal::CHILD.as_raw() {
                self.child_changed();
            } else if [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT].contains(&signal) {
                let is_theirs =
                    self.manner.foreground.is_some_and(|id| self.bodies[id.0].is_some());
                // The process on the terminal has it from the terminal, and decides what it means.
                if !(is_theirs && received.origin == Origin::Terminal) {
                    self.interrupt();
                }
            } else if let Some(body) =
                self.manner.foreground.and_then(|id| self.bodies[id.0].as_ref())
                && received.origin == Origin::Process
            {
                // It may have ended since.
                let _sent = send(&body.handle, signal);
            }
        }
    }

    pub(super) fn interrupt(&mut self) {
        let is_first = !self.engine.is_stopping();
        self.interrupts += 1;
        self.events.push_back(Event::Interrupt);
        if is_first {
            let count = self.engine.processes().iter().filter(|process| process.is_up()).count();
            if count > 0 {
                self.io.status(format!(
                    "stopping {count} process{}; again to kill, a third time to leave",
                    if count == 1 { "" } else { "es" }
                ));
            }
        }
    }

    pub(super) fn take_woken(&mut self) {
        self.woken.clear();
        while let Some((key, ok)) = self.pool.answer() {
            self.probed(key, ok, None);
        }
        for index in self.watcher.iter_mut().flat_map(Watcher::changed) {
            self.events.push_back(Event::Changed(Id(index)));
        }
    }

    pub(super) fn take_leader(&mut self, index: usize) {
        let Some(body) = self.bodies.get_mut(index).and_then(Option::as_mut) else { return };
        if body.code.is_some() {
            return;
        }
        let Some(code) = body.handle.peek() else { return };
        body.code = Some(code);
        let generation = body.generation;
        if let Some(fd) = body.handle.watched() {
            self.poller.remove(fd, token(LEADER, index as u64));
        }
        // All it wrote is in its pipes, and comes before its end.
        for stream in 0..2 {
            self.pump(index, stream, DRAIN);
        }
        self.take_ready(index);
        self.finish_lines_if_closed(index);
        self.events.push_back(Event::Exited { id: Id(index), generation, code });
        self.sweep_after_exit();
    }

    pub(super) fn take_stream(&mut self, index: usize, stream: usize) {
        if !self.is_paused {
            self.pump(index, stream, TURN);
        }
    }

    /// Reads a stream; one that is closed is forgotten.
    pub(super) fn pump(&mut self, index: usize, stream: usize, limit: usize) {
        let Self { bodies, output, buffer, .. } = self;
        let Some(body) = bodies.get_mut(index).and_then(Option::as_mut) else { return };
        let token = token(STREAM, index as u64 * 2 + stream as u64);
        let wanted = if stream == 0 { Stream::Stdout } else { Stream::Stderr };
        let Some(place) = body.readers.iter().position(|reader| reader.stream == wanted) else {
            return;
        };
        let mut found = Vec::new();
        let reader = &mut body.readers[place];
        let goes_on =
            reader.pump(buffer, limit, |stream, line| output.line(index, stream, line, &mut found));
        if !goes_on {
            reader.finish(|stream, line| output.line(index, stream, line, &mut found));
            self.poller.remove(&reader.fd, token);
            body.readers.remove(place);
        }
        let generation = body.generation;
        self.tell_found(index, generation, &found);
    }

    pub(super) fn tell_found(&mut self, index: usize, generation: Generation, found: &[Found]) {
        for found in found {
            let id = Id(index);
            self.events.push_back(match *found {
                Found::ReadyLine => Event::LineCame { id, generation },
                Found::Probe(kind) => Event::Probed { id, generation, kind, ok: true },
            });
        }
    }

    /// Nobody but a descendant can write any more; what it began to write is not held back for it.
    pub(super) fn finish_lines_if_closed(&mut self, index: usize) {
        let Self { bodies, output, .. } = self;
        let Some(body) = bodies[index].as_mut() else { return };
        let generation = body.generation;
        let mut found = Vec::new();
        for reader in &mut body.readers {
            reader.finish(|stream, line| output.line(index, stream, line, &mut found));
        }
        self.tell_found(index, generation, &found);
    }

    /// The streams that are not read while somebody reads ours too slowly.
    pub(super) fn pause_or_resume(&mut self) {
        let blocks = self.output.blocks();
        if blocks == self.is_paused {
            return;
        }
        self.is_paused = blocks;
        for (index, body) in self.bodies.iter().enumerate() {
            for reader in body.iter().flat_map(|body| &body.readers) {
                let stream = u64::from(reader.stream == Stream::Stderr);
                let token = token(STREAM, index as u64 * 2 + stream);
                if blocks {
                    self.poller.remove(&reader.fd, token);
                } else if let Err(error) = self.poller.add(&reader.fd, token) {
                    self.io.warn(format!("cannot read the output of a process any more: {error}"));
                }
            }
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.is_paused
    }
}
