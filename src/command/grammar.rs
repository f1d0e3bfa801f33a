//! The arguments of a command: a small grammar, shown to people and tools.

/// One argument of a command, or several that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// Its name; empty for a word that stands for itself: the word in small letters.
    pub name: &'static str,
    /// Its placeholder where the grammar is shown; empty: its name.
    pub shown: &'static str,
    /// Its form.
    pub form: Form,
    /// The word that stands in front of it, or the word that it is; empty: none.
    pub token: &'static str,
    /// The version of Redis that brought it; empty: the command's own.
    pub since: &'static str,
    /// The version of Redis that advised against it; empty: none.
    pub deprecated: &'static str,
    /// True if it may be left out.
    pub optional: bool,
    /// True if it may be repeated.
    pub multiple: bool,
    /// True if its token is repeated with it.
    pub repeats_token: bool,
}

/// The form of an argument.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// A key: one of the keys at this place in the row's list of keys.
    Key(u8),
    /// Any bytes.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Double,
    /// A glob pattern.
    Pattern,
    /// A pattern that makes keys, which are those at this place in the row's list of keys.
    KeyPattern(u8),
    /// A Unix time.
    UnixTime,
    /// A word that stands for itself.
    Word,
    /// Exactly one of these.
    OneOf(&'static [Arg]),
    /// All of these in turn.
    Block(&'static [Arg]),
}

impl Form {
    /// The type that COMMAND DOCS gives.
    pub fn name(self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Pattern | Self::KeyPattern(_) => "pattern",
            Self::UnixTime => "unix-time",
            Self::Word => "pure-token",
            Self::OneOf(_) => "oneof",
            Self::Block(_) => "block",
        }
    }

    /// The arguments within it.
    pub fn parts(self) -> Option<&'static [Arg]> {
        match self {
            Self::OneOf(parts) | Self::Block(parts) => Some(parts),
            Self::Key(_)
            | Self::String
            | Self::Integer
            | Self::Double
            | Self::Pattern
            | Self::KeyPattern(_)
            | Self::UnixTime
            | Self::Word => None,
        }
    }
}

impl Arg {
    const fn new(name: &'static str, form: Form) -> Self {
        Self {
            name,
            shown: "",
            form,
            token: "",
            since: "",
            deprecated: "",
            optional: false,
            multiple: false,
            repeats_token: false,
        }
    }

    /// The argument behind this word.
    #[must_use]
    pub(super) const fn behind(self, token: &'static str) -> Self {
        Self { token, ..self }
    }

    /// An argument that a later version of Redis has brought.
    #[must_use]
    pub(super) const fn since(self, since: &'static str) -> Self {
        Self { since, ..self }
    }

    /// An argument that a version of Redis has advised against.
    #[must_use]
    pub(super) const fn deprecated(self, deprecated: &'static str) -> Self {
        Self { deprecated, ..self }
    }

    /// Each repetition of an argument stands behind its word.
    #[must_use]
    pub(super) const fn each_behind(self) -> Self {
        Self {
            repeats_token: true,
            ..self
        }
    }

    /// An argument that is shown under another name.
    #[must_use]
    pub(super) const fn shown(self, shown: &'static str) -> Self {
        Self { shown, ..self }
    }

    /// How many words it is at least.
    pub fn words_min(&self) -> usize {
        if self.optional {
            return 0;
        }
        let own = match self.form {
            Form::Word => 0,
            Form::OneOf(parts) => parts.iter().map(Self::words_min).min().unwrap_or(0),
            Form::Block(parts) => words_min(parts),
            _ => 1,
        };
        own + usize::from(!self.token.is_empty())
    }
}

/// How many words these arguments are at least.
pub fn words_min(args: &[Arg]) -> usize {
    args.iter().map(Arg::words_min).sum()
}

/// The key that most commands name first.
pub(super) const KEY: Arg = key("key", 0);
/// A string that becomes a value.
pub(super) const VALUE: Arg = string("value");
/// A field of a hash.
pub(super) const FIELD: Arg = string("field");

/// An item of a list.
pub(super) const ELEMENT: Arg = string("element");

/// One of the keys at a place in the row's list of keys.
pub(super) const fn key(name: &'static str, keys: u8) -> Arg {
    Arg::new(name, Form::Key(keys))
}

/// Any bytes.
pub(super) const fn string(name: &'static str) -> Arg {
    Arg::new(name, Form::String)
}

/// A whole number.
pub(super) const fn integer(name: &'static str) -> Arg {
    Arg::new(name, Form::Integer)
}

/// A number.
pub(super) const fn double(name: &'static str) -> Arg {
    Arg::new(name, Form::Double)
}

/// A glob pattern.
pub(super) const fn pattern(name: &'static str) -> Arg {
    Arg::new(name, Form::Pattern)
}

/// A pattern that makes keys of what it stands for.
pub(super) const fn key_pattern(name: &'static str, keys: u8) -> Arg {
    Arg::new(name, Form::KeyPattern(keys))
}

/// A Unix time.
pub(super) const fn unix_time(name: &'static str) -> Arg {
    Arg::new(name, Form::UnixTime)
}

/// A word that stands for itself.
pub(super) const fn word(token: &'static str) -> Arg {
    Arg::new("", Form::Word).behind(token)
}

/// Exactly one of these.
pub(super) const fn one_of(name: &'static str, parts: &'static [Arg]) -> Arg {
    Arg::new(name, Form::OneOf(parts))
}

/// All of these in turn.
pub(super) const fn block(name: &'static str, parts: &'static [Arg]) -> Arg {
    Arg::new(name, Form::Block(parts))
}

/// An argument that may be left out.
pub(super) const fn opt(arg: Arg) -> Arg {
    Arg {
        optional: true,
        ..arg
    }
}

/// An argument that may be repeated.
pub(super) const fn many(arg: Arg) -> Arg {
    Arg {
        multiple: true,
        ..arg
    }
}
