//! A transcript's text as steps, and replies as the text that it expects.

use seedis::resp::value::{Value, encode_request};

/// One thing to do.
#[derive(Debug)]
pub(super) enum Step {
    /// A client sends bytes; those of neighbouring lines leave as one piece.
    Send { client: u64, bytes: Vec<u8> },
    /// A client must be told this.
    Expect {
        line: usize,
        client: u64,
        text: String,
        /// The reply that the installed Redis may give instead.
        instead: Option<String>,
    },
    /// So many milliseconds pass.
    Sleep(u64),
}

/// A whole transcript.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) requirepass: String,
    pub(super) steps: Vec<Step>,
}

/// Reads a transcript; says what is wrong with which line.
pub(super) fn parse(text: &str) -> Result<Script, String> {
    let mut script = Script::default();
    let mut has_reason = false;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let wrong = |what: &str| format!("line {number}: {what}: {line}");
        let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
        let had_reason = std::mem::replace(&mut has_reason, sign == "!");
        let (client, sign) = match sign.as_bytes().first() {
            Some(digit @ b'1'..=b'9') => (u64::from(digit - b'0'), &sign[1..]),
            _ => (1, sign),
        };
        match sign {
            "" | "#" => {}
            "!" if !rest.is_empty() => {}
            "requirepass" => rest.clone_into(&mut script.requirepass),
            "sleep" => script
                .steps
                .push(Step::Sleep(rest.parse().map_err(|_| wrong("no number"))?)),
            ">" | ">>" => {
                let mut bytes = Vec::new();
                if sign == ">" {
                    let words = words(rest).ok_or_else(|| wrong("a quote stays open"))?;
                    encode_request(&words, &mut bytes);
                } else {
                    bytes = unescaped(rest);
                }
                match script.steps.last_mut() {
                    Some(Step::Send {
                        client: last,
                        bytes: earlier,
                    }) if *last == client => {
                        earlier.extend(bytes);
                    }
                    _ => script.steps.push(Step::Send { client, bytes }),
                }
            }
            "<" => script.steps.push(Step::Expect {
                line: number,
                client,
                text: rest.into(),
                instead: None,
            }),
            "redis<" if had_reason => match script.steps.last_mut() {
                Some(Step::Expect { instead, .. }) => *instead = Some(rest.into()),
                _ => return Err(wrong("nothing that Redis would say otherwise")),
            },
            "redis<" => return Err(wrong("no reason: a line `! …` must come before")),
            _ => return Err(wrong("no such line")),
        }
    }
    Ok(script)
}

/// Words parted by spaces, or in quotation marks with escapes.
fn words(line: &str) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut end = 0;
            let bytes = quoted.as_bytes();
            while *bytes.get(end)? != b'"' {
                end += 1 + usize::from(bytes[end] == b'\\');
            }
            words.push(unescaped(&quoted[..end]));
            rest = &quoted[end + 1..];
        } else {
            let end = rest.find(' ').unwrap_or(rest.len());
            words.push(rest[..end].into());
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Some(words)
}

/// `\r`, `\n`, `\xNN`, `\"`, `\\`, and `\{3:ab}` for `ababab`.
fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\\') {
        out.extend_from_slice(before.as_bytes());
        let sign = behind.chars().next().unwrap_or('\\');
        rest = behind.get(sign.len_utf8()..).unwrap_or_default();
        match sign {
            'r' => out.push(b'\r'),
            'n' => out.push(b'\n'),
            't' => out.push(b'\t'),
            'x' => {
                let (digits, behind) = rest.split_at(2);
                out.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
                rest = behind;
            }
            '{' => {
                let (count, behind) = rest.split_once(':').expect("a count");
                let (what, behind) = behind.split_once('}').expect("its end");
                let count = count.parse().expect("a number");
                out.extend(unescaped(what).repeat(count));
                rest = behind;
            }
            other => out.extend_from_slice(other.to_string().as_bytes()),
        }
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// A reply on one line: `+OK`, `-ERR …`, `:1`, `"bulk"`, `[…]`, `{key: value}`, and nulls as on the
/// wire.
pub(super) fn rendered(value: &Value) -> String {
    let all = |items: &[Value]| items.iter().map(rendered).collect::<Vec<_>>().join(" ");
    let quoted = |bytes: &[u8]| format!("\"{}\"", bytes.escape_ascii());
    let pairs = |pairs: &[(Value, Value)]| {
        let pair = |(k, v): &(Value, Value)| format!("{}: {}", rendered(k), rendered(v));
        pairs.iter().map(pair).collect::<Vec<_>>().join(", ")
    };
    match value {
        Value::Simple(text) => format!("+{}", text.escape_ascii()).replace("\\'", "'"),
        Value::Error(text) => format!("-{}", text.escape_ascii()).replace("\\'", "'"),
        Value::Integer(number) => format!(":{number}"),
        Value::Bulk(bytes) => quoted(bytes).replace("\\'", "'"),
        Value::Array(items) => format!("[{}]", all(items)),
        Value::NullBulk => "$-1".into(),
        Value::NullArray => "*-1".into(),
        Value::Null => "_".into(),
        Value::Boolean(value) => if *value { "#t" } else { "#f" }.into(),
        Value::Double(text) => format!(",{text}"),
        Value::BigNumber(digits) => format!("({digits}"),
        Value::BulkError(text) => format!("!{}", quoted(text)),
        Value::Verbatim { kind, text } => format!("={}:{}", kind.escape_ascii(), quoted(text)),
        Value::Map(items) => format!("{{{}}}", pairs(items)),
        Value::Set(items) => format!("~[{}]", all(items)),
        Value::Push(items) => format!(">[{}]", all(items)),
        Value::Attributed { attributes, value } => {
            format!("|{{{}}} {}", pairs(attributes), rendered(value))
        }
    }
}

/// The reply with its outermost elements in the order of their text.
pub(super) fn sorted(value: &Value) -> Value {
    match value.clone() {
        Value::Array(mut items) => {
            items.sort_by_key(rendered);
            Value::Array(items)
        }
        Value::Map(mut items) => {
            items.sort_by_key(|(key, _)| rendered(key));
            Value::Map(items)
        }
        other => other,
    }
}

/// Returns true if a text is as expected, where `…` stands for anything.
pub(super) fn fits(expected: &str, text: &str) -> bool {
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.len() >= last.len() && rest.ends_with(last)
}
