//! What people and their numbers are called on the pages.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Serialize;

/// The longest noun, in characters: it is the label of a field and the head of a column.
const LONGEST: usize = 40;

/// A noun for one person and for several, such as `Employee/Employees`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonNoun {
    /// One person.
    pub one: String,
    /// Several people.
    pub many: String,
}

impl FromStr for PersonNoun {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (one, many) = text.split_once('/').unwrap_or((text, text));
        Ok(Self { one: noun(one)?, many: noun(many)? })
    }
}

/// A noun for the number that tells people apart, such as `Staff number`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct NumberNoun(String);

impl FromStr for NumberNoun {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        noun(text).map(Self)
    }
}

fn noun(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_word = !text.is_empty() && text.chars().count() <= LONGEST && !text.chars().any(char::is_control);
    is_word
        .then(|| text.to_owned())
        .ok_or_else(|| format!("{text:?} is no noun of 1 to {LONGEST} characters, such as Employee/Employees"))
}

/// A noun with the language of the pages that it is for; `None` is every language that has none of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken<N> {
    /// The language, such as `de`.
    pub language: Option<String>,
    /// The noun.
    pub noun: N,
}

impl<N: FromStr<Err = String>> FromStr for Spoken<N> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((language, noun)) = text.split_once('=') else {
            return Ok(Self { language: None, noun: text.parse()? });
        };
        let language = language.trim().to_ascii_lowercase();
        if !(2..=3).contains(&language.len()) || !language.bytes().all(|letter| letter.is_ascii_lowercase()) {
            return Err(format!("{language:?} is no language of the pages, such as de"));
        }
        Ok(Self { language: Some(language), noun: noun.parse()? })
    }
}

/// What people and their numbers are called on the pages, by language; without a noun each language has its own for
/// students and roll numbers.
///
/// ```
/// use faceattend_server::Nouns;
///
/// let nouns = Nouns::default()
///     .with_people(["Employee/Employees".parse()?, "de=Angestellte/Angestellte".parse()?])
///     .with_numbers(["Staff number".parse()?]);
/// assert_ne!(nouns, Nouns::default());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Nouns {
    person: BTreeMap<String, PersonNoun>,
    number: BTreeMap<String, NumberNoun>,
}

impl Nouns {
    /// The same nouns, where people are called so.
    #[must_use]
    pub fn with_people(mut self, nouns: impl IntoIterator<Item = Spoken<PersonNoun>>) -> Self {
        self.person.extend(nouns.into_iter().map(|spoken| (spoken.language.unwrap_or_default(), spoken.noun)));
        self
    }

    /// The same nouns, where their numbers are called so.
    #[must_use]
    pub fn with_numbers(mut self, nouns: impl IntoIterator<Item = Spoken<NumberNoun>>) -> Self {
        self.number.extend(nouns.into_iter().map(|spoken| (spoken.language.unwrap_or_default(), spoken.noun)));
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_noun_is_for_one_language_or_for_every_other() {
        let nouns = Nouns::default()
            .with_people(["Employee / Employees".parse().unwrap(), "DE=Angestellte".parse().unwrap()])
            .with_numbers(["Staff number".parse().unwrap()]);
        let told = json!({
            "person": {
                "": { "one": "Employee", "many": "Employees" },
                "de": { "one": "Angestellte", "many": "Angestellte" },
            },
            "number": { "": "Staff number" },
        });
        assert_eq!(serde_json::to_value(&nouns).unwrap(), told);
    }

    #[test]
    fn what_is_no_noun_is_refused_with_an_example() {
        for text in ["", "  ", "a/", "/b", "x=Employee", "german=Employee", "de=", "a\u{7}b", &"x".repeat(41)] {
            let refused = text.parse::<Spoken<PersonNoun>>().unwrap_err();
            assert!(refused.contains("such as"), "{text:?}: {refused}");
        }
    }
}
