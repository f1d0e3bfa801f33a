//! Enumerations of things that a campaign counts: each with a short name and a sentence.

macro_rules! counted {
    ($(#[$doc:meta])* $name:ident: $($variant:ident, $key:literal, $words:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum $name {
            $($variant,)*
        }

        impl $name {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// A short name for reports.
            pub(crate) fn key(self) -> &'static str {
                match self {
                    $(Self::$variant => $key,)*
                }
            }

            /// Its description.
            pub(crate) fn words(self) -> &'static str {
                match self {
                    $(Self::$variant => $words,)*
                }
            }
        }
    };
}

pub(crate) use counted;
