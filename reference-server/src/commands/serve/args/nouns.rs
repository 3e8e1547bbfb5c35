//! What the pages call people and their numbers.

use clap::Args;

use crate::settings::{Nouns, NumberNoun, PersonNoun, Spoken};

#[derive(Debug, Clone, Args)]
pub(crate) struct NounArgs {
    /// What the pages call a person and several people, separated by commas with a language before each further one,
    /// such as `Employee/Employees,de=Angestellte/Angestellte` [default: Student/Students, in each language]
    #[arg(
        long,
        env = "FACEATTEND_PERSON_NOUN",
        value_name = "ONE/SEVERAL",
        value_delimiter = ',',
        value_parser = str::parse::<Spoken<PersonNoun>>,
    )]
    person_noun: Vec<Spoken<PersonNoun>>,
    /// What the pages call the number that tells people apart, such as `Staff number,de=Personalnummer` [default: Roll
    /// number, in each language]
    #[arg(
        long,
        env = "FACEATTEND_NUMBER_NOUN",
        value_name = "NOUN",
        value_delimiter = ',',
        value_parser = str::parse::<Spoken<NumberNoun>>,
    )]
    number_noun: Vec<Spoken<NumberNoun>>,
}

impl From<NounArgs> for Nouns {
    fn from(args: NounArgs) -> Self {
        Self::default().with_people(args.person_noun).with_numbers(args.number_noun)
    }
}
