//! Patterns, matched with a bounded depth and a bounded number of steps.

/// The most captures of a pattern.
pub(super) const CAPTURES_MAX: usize = 32;
/// How deep a match may go into itself.
const DEPTH_MAX: u32 = 200;

/// The part of the subject that a capture has taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Taken {
    /// Still open.
    Open,
    /// A place.
    Position,
    /// So many bytes.
    Length(usize),
}

/// One capture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capture {
    pub(super) from: usize,
    pub(super) taken: Taken,
}

/// Why a pattern cannot be matched.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bad {
    /// The text of the error.
    Text(&'static str),
    /// It refers to a capture that is not there.
    Capture,
}

type Matched = Result<Option<usize>, Bad>;

/// One pattern against one subject.
pub(super) struct Matcher<'a> {
    subject: &'a [u8],
    pattern: &'a [u8],
    captures: [Capture; CAPTURES_MAX],
    level: usize,
    depth: u32,
    /// Steps that are left, and that were taken.
    left: u64,
    pub(super) steps: u64,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(subject: &'a [u8], pattern: &'a [u8], steps_max: u64) -> Self {
        Self {
            subject,
            pattern,
            captures: [Capture {
                from: 0,
                taken: Taken::Open,
            }; CAPTURES_MAX],
            level: 0,
            depth: 0,
            left: steps_max.saturating_add(subject.len() as u64 * 8),
            steps: 0,
        }
    }

    /// The captures of the last match.
    pub(super) fn captures(&self) -> &[Capture] {
        self.captures.get(..self.level).unwrap_or_default()
    }

    /// Matches from a place of the subject on, with the pattern from `p` on; the end of the match.
    pub(super) fn match_at(&mut self, from: usize, p: usize) -> Matched {
        self.level = 0;
        self.depth = 0;
        self.run(from, p)
    }

    fn step(&mut self) -> Result<(), Bad> {
        self.steps += 1;
        if self.steps > self.left {
            return Err(Bad::Text("pattern too complex"));
        }
        Ok(())
    }

    /// Counts the items of a set that is looked through.
    #[inline]
    fn read_set(&mut self, p: usize, end: usize) {
        self.steps += (end - p) as u64 / 8;
    }

    fn pattern_at(&self, p: usize) -> Option<u8> {
        self.pattern.get(p).copied()
    }

    fn subject_at(&self, s: usize) -> Option<u8> {
        self.subject.get(s).copied()
    }

    fn run(&mut self, from: usize, p: usize) -> Matched {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Bad::Text("pattern too complex"));
        }
        let matched = self.run_from(from, p);
        self.depth -= 1;
        matched
    }

    fn run_from(&mut self, mut s: usize, mut p: usize) -> Matched {
        loop {
            self.step()?;
            let Some(byte) = self.pattern_at(p) else {
                return Ok(Some(s));
            };
            match (byte, self.pattern_at(p + 1)) {
                (b'(', Some(b')')) => return self.open(s, p + 2, Taken::Position),
                (b'(', _) => return self.open(s, p + 1, Taken::Open),
                (b')', _) => return self.shut(s, p + 1),
                (b'$', None) => return Ok((s == self.subject.len()).then_some(s)),
                (b'%', Some(b'b')) => {
                    let Some(end) = self.balance(s, p + 2)? else {
                        return Ok(None);
                    };
                    (s, p) = (end, p + 4);
                    continue;
                }
                (b'%', Some(b'f')) => {
                    p += 2;
                    if self.pattern_at(p) != Some(b'[') {
                        return Err(Bad::Text("missing '[' after '%f' in pattern"));
                    }
                    let end = self.class_end(p)?;
                    self.read_set(p, end);
                    let before = s
                        .checked_sub(1)
                        .and_then(|at| self.subject_at(at))
                        .unwrap_or(0);
                    let here = self.subject_at(s).unwrap_or(0);
                    if self.in_set(before, p, end - 1) || !self.in_set(here, p, end - 1) {
                        return Ok(None);
                    }
                    p = end;
                    continue;
                }
                (b'%', Some(digit @ b'0'..=b'9')) => {
                    let Some(end) = self.same_as(s, digit)? else {
                        return Ok(None);
                    };
                    (s, p) = (end, p + 2);
                    continue;
                }
                _ => {}
            }
            let end = self.class_end(p)?;
            self.read_set(p, end);
            let is_match = self.single(s, p, end);
            match self.pattern_at(end) {
                Some(b'?') => {
                    if is_match && let Some(found) = self.run(s + 1, end + 1)? {
                        return Ok(Some(found));
                    }
                    p = end + 1;
                }
                Some(b'*') => return self.most(s, p, end, 0),
                Some(b'+') => {
                    return if is_match {
                        self.most(s, p, end, 1)
                    } else {
                        Ok(None)
                    };
                }
                Some(b'-') => return self.least(s, p, end),
                _ => {
                    if !is_match {
                        return Ok(None);
                    }
                    (s, p) = (s + 1, end);
                }
            }
        }
    }

    /// The place behind the class that begins at `p`.
    fn class_end(&self, p: usize) -> Result<usize, Bad> {
        match self.pattern_at(p) {
            Some(b'%') => match self.pattern_at(p + 1) {
                Some(_) => Ok(p + 2),
                None => Err(Bad::Text("malformed pattern (ends with '%')")),
            },
            Some(b'[') => {
                let mut at = p + 1;
                if self.pattern_at(at) == Some(b'^') {
                    at += 1;
                }
                // A bracket that comes first is one of the set.
                loop {
                    let Some(byte) = self.pattern_at(at) else {
                        return Err(Bad::Text("malformed pattern (missing ']')"));
                    };
                    at += 1;
                    if byte == b'%' && self.pattern_at(at).is_some() {
                        at += 1;
                    }
                    if self.pattern_at(at) == Some(b']') {
                        return Ok(at + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    fn single(&self, s: usize, p: usize, end: usize) -> bool {
        let Some(byte) = self.subject_at(s) else {
            return false;
        };
        match self.pattern_at(p) {
            Some(b'.') => true,
            Some(b'%') => in_class(byte, self.pattern_at(p + 1).unwrap_or(0)),
            Some(b'[') => self.in_set(byte, p, end - 1),
            other => other == Some(byte),
        }
    }

    /// Returns true if the set from the `[` at `p` to the `]` at `end` has a byte.
    fn in_set(&self, byte: u8, p: usize, end: usize) -> bool {
        let mut at = p + 1;
        let mut found = true;
        if self.pattern_at(at) == Some(b'^') {
            found = false;
            at += 1;
        }
        while at < end {
            let first = self.pattern_at(at).unwrap_or(0);
            if first == b'%' {
                if in_class(byte, self.pattern_at(at + 1).unwrap_or(0)) {
                    return found;
                }
                at += 2;
            } else if self.pattern_at(at + 1) == Some(b'-') && at + 2 < end {
                let last = self.pattern_at(at + 2).unwrap_or(0);
                if first <= byte && byte <= last {
                    return found;
                }
                at += 3;
            } else {
                if first == byte {
                    return found;
                }
                at += 1;
            }
        }
        !found
    }

    fn most(&mut self, s: usize, p: usize, end: usize, least: usize) -> Matched {
        let mut count = 0;
        while self.single(s + count, p, end) {
            self.step()?;
            self.read_set(p, end);
            count += 1;
        }
        loop {
            if count < least {
                return Ok(None);
            }
            if let Some(found) = self.run(s + count, end + 1)? {
                return Ok(Some(found));
            }
            match count.checked_sub(1) {
                Some(fewer) => count = fewer,
                None => return Ok(None),
            }
        }
    }

    fn least(&mut self, mut s: usize, p: usize, end: usize) -> Matched {
        loop {
            if let Some(found) = self.run(s, end + 1)? {
                return Ok(Some(found));
            }
            if !self.single(s, p, end) {
                return Ok(None);
            }
            self.read_set(p, end);
            s += 1;
        }
    }

    fn open(&mut self, s: usize, p: usize, taken: Taken) -> Matched {
        let Some(capture) = self.captures.get_mut(self.level) else {
            return Err(Bad::Text("too many captures"));
        };
        *capture = Capture { from: s, taken };
        self.level += 1;
        let matched = self.run(s, p)?;
        if matched.is_none() {
            self.level -= 1;
        }
        Ok(matched)
    }

    fn shut(&mut self, s: usize, p: usize) -> Matched {
        let open = self
            .captures()
            .iter()
            .rposition(|capture| capture.taken == Taken::Open);
        let Some(open) = open else {
            return Err(Bad::Text("invalid pattern capture"));
        };
        self.captures[open].taken = Taken::Length(s - self.captures[open].from);
        let matched = self.run(s, p)?;
        if matched.is_none() {
            self.captures[open].taken = Taken::Open;
        }
        Ok(matched)
    }

    /// The end of a text from `s` on in which two bytes open and close each other.
    fn balance(&mut self, s: usize, p: usize) -> Matched {
        let (Some(opening), Some(closing)) = (self.pattern_at(p), self.pattern_at(p + 1)) else {
            return Err(Bad::Text("unbalanced pattern"));
        };
        if self.subject_at(s) != Some(opening) {
            return Ok(None);
        }
        let (mut depth, mut at) = (1, s + 1);
        while let Some(byte) = self.subject_at(at) {
            self.step()?;
            if byte == closing {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(at + 1));
                }
            } else if byte == opening {
                depth += 1;
            }
            at += 1;
        }
        Ok(None)
    }

    /// The end of a text at `s` that is the same as an earlier capture.
    fn same_as(&mut self, s: usize, digit: u8) -> Matched {
        let place = usize::from(digit).wrapping_sub(usize::from(b'1'));
        let (from, length) = match self.captures().get(place).copied() {
            None
            | Some(Capture {
                taken: Taken::Open, ..
            }) => return Err(Bad::Text("invalid capture index")),
            // A place has no text: nothing is the same.
            Some(Capture {
                taken: Taken::Position,
                ..
            }) => return Ok(None),
            Some(Capture {
                from,
                taken: Taken::Length(length),
            }) => (from, length),
        };
        self.steps += length as u64 / 16;
        let earlier = self.subject.get(from..from + length);
        let here = self.subject.get(s..s + length);
        Ok((earlier.is_some() && earlier == here).then_some(s + length))
    }

    /// The text or the place that a capture has taken; the whole match if there is no capture.
    pub(super) fn capture(
        &self,
        at: usize,
        from: usize,
        to: usize,
    ) -> Result<(Capture, usize), Bad> {
        match self.captures().get(at) {
            None if at == 0 => Ok((
                Capture {
                    from,
                    taken: Taken::Length(to - from),
                },
                to - from,
            )),
            None => Err(Bad::Capture),
            Some(capture) => match capture.taken {
                Taken::Open => Err(Bad::Text("unfinished capture")),
                Taken::Position => Ok((*capture, 0)),
                Taken::Length(length) => Ok((*capture, length)),
            },
        }
    }
}

/// Returns true if a byte is of the class that a letter names; a capital names all others.
fn in_class(byte: u8, class: u8) -> bool {
    let is_in = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => matches!(byte, b' ' | b'\t'..=b'\r'),
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    is_in != class.is_ascii_uppercase()
}
