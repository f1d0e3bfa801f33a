//! JSON as it is written: for programs, and for the page that a browser reads.

use std::fmt;

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    Null,
    Count(u64),
    Figure(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object with these members.
    pub(crate) fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        let members = members.map(|(name, value)| (name.to_owned(), value));
        Self::Object(members.into())
    }

    /// A list of whatever can be a value.
    pub(crate) fn list<T: Into<Self>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }

    /// Numbers by their names.
    pub(crate) fn counts<'a>(counts: impl IntoIterator<Item = (&'a str, u64)>) -> Self {
        let members = counts.into_iter();
        Self::Object(
            members
                .map(|(name, count)| (name.to_owned(), Self::Count(count)))
                .collect(),
        )
    }
}

impl From<u64> for Json {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Json {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Figure(figure) if figure.is_finite() => write!(f, "{figure:.3}"),
            Self::Figure(_) | Self::Null => f.write_str("null"),
            Self::Text(text) => string(f, text),
            Self::List(items) => {
                f.write_str("[")?;
                for (place, item) in items.iter().enumerate() {
                    f.write_str(if place > 0 { "," } else { "" })?;
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (place, (name, value)) in members.iter().enumerate() {
                    f.write_str(if place > 0 { "," } else { "" })?;
                    string(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for letter in text.chars() {
        match letter {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            // No text may end the element of a page in which it stands.
            '<' => f.write_str("\\u003c")?,
            odd if odd < ' ' || odd == '\u{2028}' || odd == '\u{2029}' => {
                write!(f, "\\u{:04x}", u32::from(odd))?;
            }
            other => write!(f, "{other}")?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_json() {
        let value = Json::object([
            ("count", Json::Count(u64::MAX)),
            ("rate", Json::Figure(1.5)),
            ("none", Json::Figure(f64::NAN)),
            ("text", Json::from("a \"b\" \\ \n\u{1} é")),
            ("list", Json::list(["x", "y"])),
            ("nothing", Json::from(None::<u64>)),
            ("empty", Json::counts([])),
        ]);
        assert_eq!(
            value.to_string(),
            r#"{"count":18446744073709551615,"rate":1.500,"none":null,"#.to_owned()
                + r#""text":"a \"b\" \\ \n\u0001 é","list":["x","y"],"nothing":null,"empty":{}}"#
        );
    }

    #[test]
    fn no_text_leaves_its_quotes_or_its_element() {
        let nasty = Json::from("a\"b\\c\n</script>\u{2028}ü");
        assert_eq!(nasty.to_string(), r#""a\"b\\c\n\u003c/script>\u2028ü""#);
    }
}
