//! JSON as it is written: no more than what a summary needs.

use std::fmt;

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Json {
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

    /// A list of texts.
    pub(crate) fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts = texts.into_iter();
        Self::List(texts.map(|text| Self::text(text.as_ref())).collect())
    }

    /// A text.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
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

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Figure(figure) if figure.is_finite() => write!(f, "{figure:.3}"),
            Self::Figure(_) => f.write_str("null"),
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
            control if control < ' ' => write!(f, "\\u{:04x}", u32::from(control))?,
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
            ("text", Json::text("a \"b\" \\ \n\u{1} é")),
            ("list", Json::texts(["x", "y"])),
            ("empty", Json::counts([])),
        ]);
        assert_eq!(
            value.to_string(),
            r#"{"count":18446744073709551615,"rate":1.500,"none":null,"#.to_owned()
                + r#""text":"a \"b\" \\ \n\u0001 é","list":["x","y"],"empty":{}}"#
        );
    }
}
