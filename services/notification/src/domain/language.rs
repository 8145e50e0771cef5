//! Languages people are addressed in.

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    Arabic,
    French,
    Tamazight,
    English,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Arabic, Self::French, Self::Tamazight, Self::English];

    /// BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Arabic => "ar",
            Self::French => "fr",
            Self::Tamazight => "zgh",
            Self::English => "en",
        }
    }

    /// The language of a tag.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }
}
