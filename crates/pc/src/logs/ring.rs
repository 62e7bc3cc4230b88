//! The last lines of a process, in memory: bounded in lines and in bytes.

use std::collections::VecDeque;

use super::Stream;

/// The bytes that one process may have in memory; its last line stays, however long.
const MAX_BYTES: usize = 256 << 10;

/// The last lines.
#[derive(Debug)]
pub(crate) struct Ring {
    /// The texts, one behind the other; what was dropped is at the front.
    bytes: Vec<u8>,
    first: usize,
    lines: VecDeque<(usize, Stream)>,
    most: usize,
}

impl Ring {
    /// A ring of at most that many lines.
    pub(crate) fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), first: 0, lines: VecDeque::new(), most: most.max(1) }
    }

    /// Adds a line and drops those there is no room for.
    pub(crate) fn push(&mut self, text: &[u8], stream: Stream) {
        self.bytes.extend_from_slice(text);
        self.lines.push_back((text.len(), stream));
        while self.lines.len() > self.most
            || self.bytes.len() - self.first > MAX_BYTES && self.lines.len() > 1
        {
            let (length, _) = self.lines.pop_front().unwrap_or((0, stream));
            self.first += length;
        }
        // Moved down once for each time that the ring was filled: a byte is copied twice at most.
        if self.first > MAX_BYTES {
            self.bytes.drain(..self.first);
            self.first = 0;
            if self.bytes.capacity() > 8 * MAX_BYTES {
                self.bytes.shrink_to(4 * MAX_BYTES);
            }
        }
    }

    /// The last lines, oldest first.
    pub(crate) fn tail(&self, count: usize) -> impl Iterator<Item = (&[u8], Stream)> {
        let skipped = self.lines.len().saturating_sub(count);
        let mut start = self.first;
        let all = self.lines.iter().map(move |&(length, stream)| {
            let text = &self.bytes[start..start + length];
            start += length;
            (text, stream)
        });
        all.skip(skipped)
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.bytes = Vec::new();
        self.first = 0;
        self.lines.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines() {
        let mut ring = Ring::new(3);
        for number in 0..10 {
            ring.push(format!("line {number}").as_bytes(), Stream::Stdout);
        }
        let tail: Vec<_> = ring.tail(2).map(|(text, _)| String::from_utf8_lossy(text)).collect();
        assert_eq!(tail, ["line 8", "line 9"]);
        assert_eq!(ring.tail(9).count(), 3);
    }

    #[test]
    fn long_lines_do_not_fill_the_memory() {
        let mut ring = Ring::new(1000);
        for _ in 0..100 {
            ring.push(&vec![b'x'; 1 << 20], Stream::Stderr);
            assert!(ring.bytes.len() <= (1 << 20) * 2 + MAX_BYTES);
        }
        assert_eq!(ring.tail(5).map(|(text, _)| text.len()).collect::<Vec<_>>(), [1 << 20]);
    }
}
