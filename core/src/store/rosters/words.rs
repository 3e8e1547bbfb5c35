//! The words of marks: a handful, in hundreds of thousands of rows.

use std::sync::Arc;

/// How many words are looked through. Other programs write what they like, a different one in each row if they like.
const MOST: usize = 32;

/// The words that were read, each kept once.
#[derive(Debug, Default)]
pub(in crate::store) struct Words(Vec<Arc<str>>);

impl Words {
    /// The word of these bytes, if it was read before.
    #[cfg(feature = "sqlite")]
    pub(in crate::store) fn known(&self, text: &[u8]) -> Option<Arc<str>> {
        self.0.iter().find(|known| known.as_bytes() == text).cloned()
    }

    pub(in crate::store) fn of(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| ***known == *text) {
            return Arc::clone(known);
        }
        let new = Arc::from(text);
        if self.0.len() < MOST {
            self.0.push(Arc::clone(&new));
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_kept_once_and_too_many_are_words_all_the_same() {
        let mut words = Words::default();
        let first = words.of("Present");
        assert!(Arc::ptr_eq(&first, &words.of("Present")));
        for number in 0..2 * MOST {
            assert_eq!(*words.of(&number.to_string()), *number.to_string());
        }
        assert_eq!(words.0.len(), MOST);
    }
}
