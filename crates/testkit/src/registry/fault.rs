//! How the registry fails when a test asks for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Answer, Received};

/// What happens to a request in place of what should.
#[derive(Clone)]
pub enum Act {
    /// Reads the whole request, then answers this.
    Answer(Answer),
    /// Answers this at once, reads nothing of the body, and closes.
    AnswerEarly(Answer),
    /// Lets the body come (as a proxy in front would), reads nothing of it, answers this and closes.
    AnswerBehind(Answer),
    /// Writes these bytes in place of an answer, then closes.
    Raw(Vec<u8>),
    /// Does what the request asks for, and says so in HTTP/1.0.
    Old,
    /// Reads so many bytes of the body, then closes.
    CutBody(u64),
    /// Reads so many bytes of the body, keeps them in the upload, then ends the connection by a reset.
    KeepPart(u64),
    /// Reads so many bytes of the body, keeps them in the upload, and answers this.
    KeepPartAnd(u64, Answer),
    /// Closes without an answer; what the request asked for is not done.
    Close,
    /// Ends the connection by a reset, with nothing read of the body.
    Reset,
    /// Reads so many bytes of the body, then ends the connection by a reset.
    ResetBody(u64),
    /// Reads so many bytes of the body, closes its own half of the connection, and reads on until the other half closes.
    HalfClose(u64),
    /// Does what the request asks for, then closes without an answer.
    LoseAnswer,
    /// Waits, then goes on as usual.
    Stall(Duration),
    /// Does what the request asks for, then changes the answer.
    Edit(Arc<dyn Fn(&mut Answer) + Send + Sync>),
}

impl Act {
    /// Does what the request asks for, then changes the answer.
    pub fn edit(change: impl Fn(&mut Answer) + Send + Sync + 'static) -> Self {
        Self::Edit(Arc::new(change))
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(answer) => f.debug_tuple("Answer").field(answer).finish(),
            Self::AnswerEarly(answer) => f.debug_tuple("AnswerEarly").field(answer).finish(),
            Self::AnswerBehind(answer) => f.debug_tuple("AnswerBehind").field(answer).finish(),
            Self::Raw(bytes) => f.debug_tuple("Raw").field(&bytes.len()).finish(),
            Self::Old => f.write_str("Old"),
            Self::KeepPart(bytes) => f.debug_tuple("KeepPart").field(bytes).finish(),
            Self::KeepPartAnd(bytes, answer) => {
                f.debug_tuple("KeepPartAnd").field(bytes).field(answer).finish()
            }
            Self::Reset => f.write_str("Reset"),
            Self::ResetBody(bytes) => f.debug_tuple("ResetBody").field(bytes).finish(),
            Self::HalfClose(bytes) => f.debug_tuple("HalfClose").field(bytes).finish(),
            Self::CutBody(bytes) => f.debug_tuple("CutBody").field(bytes).finish(),
            Self::Close => f.write_str("Close"),
            Self::LoseAnswer => f.write_str("LoseAnswer"),
            Self::Stall(time) => f.debug_tuple("Stall").field(time).finish(),
            Self::Edit(_) => f.write_str("Edit"),
        }
    }
}

/// A fault: which requests it meets, and what it does to them. The first one that fits a request is used.
#[derive(Debug)]
pub struct Fault {
    method: &'static str,
    part: String,
    skip: usize,
    left: usize,
    when: fn(&Received) -> bool,
    act: Act,
}

impl Fault {
    /// Meets every request with this method whose path holds `part`.
    pub fn on(method: &'static str, part: impl Into<String>, act: Act) -> Self {
        Self { method, part: part.into(), skip: 0, left: usize::MAX, when: |_| true, act }
    }

    /// Meets only so many of them.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.left = times;
        self
    }

    /// Lets so many of them pass first.
    #[must_use]
    pub fn after(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    /// Meets only those of them that this says yes to.
    #[must_use]
    pub fn when(mut self, when: fn(&Received) -> bool) -> Self {
        self.when = when;
        self
    }

    /// Whether this request is met; counts it.
    pub(crate) fn meets(&mut self, request: &Received) -> bool {
        let is_for = request.method == self.method && request.path.contains(&self.part);
        if !is_for || !(self.when)(request) || self.left == 0 {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.left -= 1;
        true
    }

    pub(crate) fn act(&self) -> &Act {
        &self.act
    }
}
