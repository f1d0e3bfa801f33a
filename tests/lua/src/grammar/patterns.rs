//! Patterns of strings, now and then ill-formed.

use super::Writer;

const CLASSES: [&str; 16] = [
    "a", "b", "1", ".", "%a", "%d", "%s", "%w", "%p", "%l", "%u", "%x", "%S", "%c", "%.", "%z",
];
const SETS: [&str; 9] = [
    "[abc]", "[^a]", "[%d_]", "[a-c]", "[^%s]", "[]]", "[^]]", "[a-]", "[%w%-]",
];
const ODD: [&str; 12] = [
    "%b()", "%bab", "%f[%w]", "%f[^a]", "%1", "()", "%2", "[a", "%", "(", ")", "%f",
];
const TIMES: [&str; 8] = ["", "", "", "", "*", "+", "-", "?"];

impl Writer {
    /// A pattern, quoted.
    pub(super) fn pattern(&mut self) -> String {
        let mut text = String::new();
        if self.chance(20) {
            text.push('^');
        }
        let parts = self.below(4) + 1;
        let mut open = 0;
        for _ in 0..parts {
            if self.chance(25) {
                text.push('(');
                open += 1;
            }
            let part = match self.below(20) {
                0..12 => self.pick(&CLASSES),
                12..18 => self.pick(&SETS),
                _ => self.pick(&ODD),
            };
            text.push_str(part);
            text.push_str(self.pick(&TIMES));
            if open > 0 && self.chance(60) {
                text.push(')');
                open -= 1;
            }
        }
        for _ in 0..open {
            if self.chance(95) {
                text.push(')');
            }
        }
        if self.chance(20) {
            text.push('$');
        }
        format!("'{text}'")
    }

    /// Something that takes the place of a match.
    pub(super) fn replacement(&mut self) -> String {
        let known = [
            "'x'",
            "'%0'",
            "'%1'",
            "'<%0>'",
            "'%%'",
            "''",
            "'%2'",
            "'%'",
            "{a = 'A', ['1'] = 1}",
            "{b = false, a = true}",
            "string.upper",
            "function(m) return #m end",
            "function(m, n) if n then return n .. m end end",
            "function() return false end",
            "function() return {} end",
            "12",
            "nil",
        ];
        self.pick(&known).to_owned()
    }

    /// A form of `string.format`, and what is to be put into it.
    pub(super) fn form(&mut self) -> (String, Vec<super::Kind>) {
        use super::Kind::{Any, Number, Text};
        let (mut form, mut kinds) = (String::new(), Vec::new());
        for _ in 0..=self.below(3) {
            form.push_str(self.pick(&["", "a", " ", "%%", "x="]));
            form.push('%');
            form.push_str(self.pick(&["", "", "", "-", "+", "0", " ", "#"]));
            form.push_str(self.pick(&["", "", "", "5", "12", "1", "100"]));
            form.push_str(self.pick(&["", "", "", ".2", ".0", ".", ".10", ".100"]));
            let letter = self.pick(&[
                "d", "i", "u", "c", "x", "X", "o", "e", "E", "f", "g", "G", "q", "s", "s", "d", "z",
            ]);
            form.push_str(letter);
            kinds.push(match letter {
                "s" | "q" => self.pick(&[Text, Number, Text, Any]),
                _ => Number,
            });
        }
        if self.chance(5) {
            kinds.pop();
        }
        (format!("'{form}'"), kinds)
    }
}
