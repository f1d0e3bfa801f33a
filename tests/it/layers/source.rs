//! Reads Rust source just well enough to say which modules it names.

/// The source with comments and the contents of literals blanked; lines keep their numbers.
pub(super) fn code_only(source: &str) -> String {
    let letters: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < letters.len() {
        let end = match (letters[at], letters.get(at + 1)) {
            ('/', Some('/')) => end_of_line(&letters, at),
            ('/', Some('*')) => end_of_block_comment(&letters, at),
            ('"', _) => end_of_string(&letters, at),
            ('r', Some('"' | '#')) if !follows_word(&letters, at) => end_of_raw(&letters, at),
            ('\'', _) => end_of_char(&letters, at),
            _ => at,
        };
        if end == at {
            code.push(letters[at]);
            at += 1;
        } else {
            let blanked = letters[at..end]
                .iter()
                .map(|&letter| if letter == '\n' { '\n' } else { ' ' });
            code.extend(blanked);
            at = end;
        }
    }
    code
}

/// In `br"…"` and `br#"…"#` the `r` follows a `b`, which is no word of its own.
fn follows_word(letters: &[char], at: usize) -> bool {
    let is_word = |back: usize| {
        at.checked_sub(back)
            .is_some_and(|place| letters[place].is_alphanumeric() || letters[place] == '_')
    };
    is_word(1) && (letters[at - 1] != 'b' || is_word(2))
}

fn end_of_line(letters: &[char], at: usize) -> usize {
    let length = letters[at..].iter().position(|&letter| letter == '\n');
    length.map_or(letters.len(), |length| at + length)
}

fn end_of_block_comment(letters: &[char], at: usize) -> usize {
    let (mut depth, mut place) = (0, at);
    while place < letters.len() {
        match (letters[place], letters.get(place + 1)) {
            ('/', Some('*')) => (depth, place) = (depth + 1, place + 2),
            ('*', Some('/')) => (depth, place) = (depth - 1, place + 2),
            _ => place += 1,
        }
        if depth == 0 {
            break;
        }
    }
    place
}

fn end_of_string(letters: &[char], at: usize) -> usize {
    let mut place = at + 1;
    while place < letters.len() && letters[place] != '"' {
        place += if letters[place] == '\\' { 2 } else { 1 };
    }
    (place + 1).min(letters.len())
}

/// The end of a raw string that begins at `at`; `at` itself if none does (a raw identifier).
fn end_of_raw(letters: &[char], at: usize) -> usize {
    let hashes = letters[at + 1..]
        .iter()
        .take_while(|&&letter| letter == '#')
        .count();
    if letters.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let mut place = at + 2 + hashes;
    while place < letters.len() {
        if letters[place] == '"'
            && letters[place + 1..]
                .iter()
                .take(hashes)
                .filter(|&&h| h == '#')
                .count()
                == hashes
        {
            return place + 1 + hashes;
        }
        place += 1;
    }
    place
}

/// The end of a character literal; `at` itself for a lifetime.
fn end_of_char(letters: &[char], at: usize) -> usize {
    match (letters.get(at + 1), letters.get(at + 2)) {
        (Some('\\'), _) => {
            let closing = letters
                .iter()
                .skip(at + 3)
                .position(|&letter| letter == '\'');
            closing.map_or(letters.len(), |length| at + length + 4)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

/// Every path below the crate's root that the code names, as `module::item`, with its line.
///
/// `root` is how the code calls that crate: `crate` within it, `seedis` from outside. `depth` says
/// how many `super` lead from the file's own module to the root; 0: none does.
pub(super) fn names(code: &str, root: &str, depth: usize) -> Vec<(usize, String)> {
    let tokens = tokens(code);
    let word = |at: usize| tokens.get(at).map_or("", |token| token.1.as_str());
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let continues = at > 0 && word(at - 1) == "::";
        if word(at) == root && word(at + 1) == "::" && !continues {
            tree(&tokens, at + 2, "", &mut found);
        } else if word(at) == "super" && !continues {
            let mut behind = at;
            let mut count = 0;
            while word(behind) == "super" && word(behind + 1) == "::" {
                (behind, count) = (behind + 2, count + 1);
            }
            // A module inside the file takes one `super` more: a longer chain may reach the root as
            // well, and `super::*` at its end may as well mean the file.
            if depth > 0 && count >= depth && word(behind) != "*" {
                tree(&tokens, behind, "", &mut found);
            }
            at = behind.max(at);
        }
        at += 1;
    }
    found
}

/// Every path in the code, from the root of the crate on. `module` is where the code stands, as the
/// steps of its path. The tests in a file are left out.
pub(super) fn paths(code: &str, module: &[String]) -> Vec<String> {
    let tokens = tokens(without_tests(code));
    let word = |at: usize| tokens.get(at).map_or("", |token| token.1.as_str());
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let continues = at > 0 && word(at - 1) == "::";
        // `pub(in …)` says who may see a thing, and needs nothing from there.
        let restricts = at > 1 && word(at - 1) == "in" && word(at - 2) == "(";
        if continues || restricts || word(at + 1) != "::" || !is_word(word(at)) {
            continue;
        }
        let (mut behind, mut base) = (at, module);
        while word(behind) == "super" && word(behind + 1) == "::" {
            behind += 2;
            base = base.split_last().map_or(base, |(_, parent)| parent);
        }
        match word(behind) {
            "crate" => (behind, base) = (behind + 2, &[]),
            "self" => behind += 2,
            _ => {}
        }
        if word(behind) == "*" {
            found.push((0, base.join("::")));
        } else {
            tree(&tokens, behind, &base.join("::"), &mut found);
        }
    }
    found.into_iter().map(|(_, path)| path).collect()
}

/// The code without the module of tests at its end.
fn without_tests(code: &str) -> &str {
    let mut from = 0;
    while let Some(at) = code[from..].find("#[cfg(test)]").map(|at| from + at) {
        let behind = code[at + "#[cfg(test)]".len()..].trim_start();
        let end = behind.find(['{', ';']);
        if behind.starts_with("mod ") && end.is_some_and(|end| behind[end..].starts_with('{')) {
            return &code[..at];
        }
        from = at + 1;
    }
    code
}

type Token = (usize, String);

fn tokens(code: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut line = 1;
    let mut letters = code.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\n' {
            line += 1;
        } else if letter.is_alphanumeric() || letter == '_' {
            let mut word = String::from(letter);
            while let Some(next) = letters.next_if(|next| next.is_alphanumeric() || *next == '_') {
                word.push(next);
            }
            tokens.push((line, word));
        } else if letter == ':' && letters.next_if_eq(&':').is_some() {
            tokens.push((line, "::".into()));
        } else if !letter.is_whitespace() {
            tokens.push((line, letter.into()));
        }
    }
    tokens
}

/// Reads one tree of a `use` declaration, or a plain path, and returns the place behind it.
fn tree(tokens: &[Token], at: usize, prefix: &str, found: &mut Vec<(usize, String)>) -> usize {
    let Some((line, word)) = tokens.get(at) else {
        return at;
    };
    if word == "{" {
        let mut place = at + 1;
        while place < tokens.len() && tokens[place].1 != "}" {
            place = tree(tokens, place, prefix, found);
            // An alias, `as name`, and the comma.
            while place < tokens.len() && tokens[place].1 != "," && tokens[place].1 != "}" {
                place += 1;
            }
            if tokens.get(place).is_some_and(|token| token.1 == ",") {
                place += 1;
            }
        }
        return place + 1;
    }
    let path = if prefix.is_empty() {
        word.clone()
    } else {
        format!("{prefix}::{word}")
    };
    let follows = |place: usize| tokens.get(place).map(|token| token.1.as_str());
    let goes_on = follows(at + 1) == Some("::")
        && follows(at + 2).is_some_and(|next| next == "{" || next == "*" || is_word(next));
    if goes_on {
        tree(tokens, at + 2, &path, found)
    } else {
        found.push((*line, path));
        at + 1
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}
