//! Bytes into lines: none is lost, and none grows without limit.

/// A line longer than this is passed on in parts.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// A line without its line feed, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a [u8],
    /// The line was too long: it goes on in the next part.
    pub(crate) goes_on: bool,
}

/// Cuts a stream into lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The begin of a line whose end has not come.
    begun: Vec<u8>,
    /// A terminal ends lines by CR LF.
    is_terminal: bool,
}

impl Lines {
    /// For a terminal, whose lines end in CR LF.
    pub(crate) fn of_terminal() -> Self {
        Self { begun: Vec::new(), is_terminal: true }
    }

    /// Takes what was read, and passes on what is whole.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut pass: impl FnMut(Line<'_>)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (head, rest) = (&bytes[..end], &bytes[end + 1..]);
            if self.begun.is_empty() {
                self.pass_whole(head, &mut pass);
            } else {
                self.collect(head, &mut pass);
                let begun = std::mem::take(&mut self.begun);
                self.pass_whole(&begun, &mut pass);
                self.reuse(begun);
            }
            bytes = rest;
        }
        self.collect(bytes, &mut pass);
    }

    /// Passes on a last line that had no line feed.
    pub(crate) fn finish(&mut self, mut pass: impl FnMut(Line<'_>)) {
        let begun = std::mem::take(&mut self.begun);
        if !begun.is_empty() {
            self.pass_whole(&begun, &mut pass);
        }
    }

    fn pass_whole(&self, mut text: &[u8], pass: &mut impl FnMut(Line<'_>)) {
        if self.is_terminal {
            text = text.strip_suffix(b"\r").unwrap_or(text);
        }
        while text.len() > MAX_LINE {
            let (part, rest) = text.split_at(MAX_LINE);
            pass(Line { text: part, goes_on: true });
            text = rest;
        }
        pass(Line { text, goes_on: false });
    }

    fn collect(&mut self, mut bytes: &[u8], pass: &mut impl FnMut(Line<'_>)) {
        while self.begun.len() + bytes.len() > MAX_LINE {
            let (part, rest) = bytes.split_at(MAX_LINE - self.begun.len());
            self.begun.extend_from_slice(part);
            pass(Line { text: &self.begun, goes_on: true });
            self.begun.clear();
            bytes = rest;
        }
        self.begun.extend_from_slice(bytes);
    }

    /// Keeps the memory of a line for the next one, unless it is large.
    fn reuse(&mut self, mut memory: Vec<u8>) {
        if memory.capacity() <= 64 << 10 {
            memory.clear();
            self.begun = memory;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(chunks: &[&[u8]]) -> Vec<(Vec<u8>, bool)> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for chunk in chunks {
            lines.feed(chunk, |line| found.push((line.text.to_vec(), line.goes_on)));
        }
        lines.finish(|line| found.push((line.text.to_vec(), line.goes_on)));
        found
    }

    #[test]
    fn the_last_line_needs_no_line_feed() {
        let found = all(&[b"a\nb", b"c\n\nd"]);
        let texts: Vec<&[u8]> = found.iter().map(|(text, _)| text.as_slice()).collect();
        assert_eq!(texts, [b"a".as_slice(), b"bc", b"", b"d"]);
    }

    #[test]
    fn a_long_line_comes_in_parts() {
        let long = vec![b'x'; MAX_LINE * 2 + 5];
        for chunks in [vec![&long[..], b"\ny"], vec![&long[..7], &long[7..], b"\ny"]] {
            let found = all(&chunks);
            let sizes: Vec<_> =
                found.iter().map(|(text, goes_on)| (text.len(), *goes_on)).collect();
            assert_eq!(sizes, [(MAX_LINE, true), (MAX_LINE, true), (5, false), (1, false)]);
        }
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_one() {
        let mut long = vec![b'x'; MAX_LINE];
        long.push(b'\n');
        assert_eq!(all(&[&long]).len(), 1);
        assert_eq!(all(&[&long[..9], &long[9..]]).len(), 1);
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_lines_are_the_same(
            text in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200),
            cuts in prop::collection::vec(0_usize..200, 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.push(0);
            cuts.push(text.len());
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            prop_assert_eq!(all(&chunks), all(&[&text]));
            let joined = all(&chunks).into_iter().map(|(line, _)| line).collect::<Vec<_>>().join(&b'\n');
            let expected = text.strip_suffix(b"\n").unwrap_or(&text);
            prop_assert_eq!(joined, expected);
        }
    }
}
