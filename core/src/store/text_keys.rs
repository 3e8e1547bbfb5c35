//! What makes two roll numbers one, and where a search looks: texts that are compared, and shown nowhere.
//!
//! Both databases compare these keys byte by byte, so that they give the same answers whatever their collations are.

use unicode_normalization::UnicodeNormalization as _;

/// Returns what makes roll numbers one: NFC, without what has no width, without white space around it, and with white
/// space inside as one space, as a page shows it. Letter case counts.
pub(crate) fn roll_key(roll_number: &str) -> String {
    let seen: String = visible(roll_number).nfc().collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns what makes names of cameras one: as [`roll_key`], and without letter case.
pub(crate) fn camera_key(name: &str) -> String {
    // Up and down again: so `ß` is `ss`.
    roll_key(name).to_uppercase().to_lowercase()
}

/// Returns where a search for a student looks: name and roll number as [`search_text`] spells them, a line each.
pub(super) fn search_key(name: &str, roll_number: &str) -> String {
    format!("{}\n{}", folded(name), folded(roll_number))
}

/// Returns the text that a key must hold to be found; `None` where every student is: an empty search, and `%` alone, as
/// in the existing service.
pub(super) fn search_text(search: Option<&str>) -> Option<String> {
    let search = search.filter(|text| !text.bytes().all(|byte| byte == b'%'))?;
    Some(folded(search)).filter(|text| !text.is_empty())
}

/// The text without letter case, accents, marks over and under letters, and what has no width. Letters that are
/// compatible are one, such as full-width ones; white space of every kind is a space.
pub(crate) fn folded(text: &str) -> String {
    let bare = visible(text).nfkd().filter(|letter| !is_accent(*letter));
    // Up and down again: so `ß` is `ss`, and both forms of the Greek sigma are one.
    let lower = bare.flat_map(char::to_uppercase).flat_map(char::to_lowercase).filter(|letter| !is_accent(*letter));
    let mut plain = String::with_capacity(text.len());
    for letter in lower {
        match without_stroke(letter) {
            Some(letters) => plain.push_str(letters),
            None => plain.push(letter),
        }
    }
    // Syllables of Hangul and the marks that belong to letters elsewhere are put together again.
    plain.nfc().collect()
}

/// The characters that take room, with white space and control characters as spaces.
fn visible(text: &str) -> impl Iterator<Item = char> + '_ {
    let spaced = |letter: char| if letter.is_whitespace() || letter.is_control() { ' ' } else { letter };
    text.chars().filter(|letter| !has_no_width(*letter)).map(spaced)
}

/// Whether a character is never seen: soft hyphens, joiners, marks of direction, variation selectors and the byte-order
/// mark (the default-ignorable characters of Unicode 16 that texts of people hold).
fn has_no_width(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0100}'..='\u{e01ef}')
}

/// Whether a character is an accent: the blocks of combining marks that any letter may have, and the vowel signs of
/// Arabic and Hebrew, which are usually not written. The vowel signs of other scripts are part of the name.
fn is_accent(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c5}'
        | '\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// The letters of the Latin alphabets that no decomposition leads to.
fn without_stroke(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'ı' => "i",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(search: &str, name: &str) -> bool {
        search_text(Some(search)).is_none_or(|text| search_key(name, "R1").contains(&text))
    }

    #[test]
    fn a_roll_number_is_one_however_it_is_typed_and_case_counts() {
        for same in
            ["AB", "AB ", " AB", "AB\u{a0}", "AB\u{200b}", "\u{feff}AB", "A\u{ad}B", "AB\u{3000}", "A\u{2060}B\t"]
        {
            assert_eq!(roll_key(same), "AB", "{same:?}");
        }
        assert_eq!(roll_key("Mu\u{308}ller"), roll_key("M\u{fc}ller"));
        assert_eq!(roll_key("e\u{200d}\u{301}"), "\u{e9}", "what has no width does not keep an accent from its letter");
        assert_eq!((roll_key("7\u{a0} b"), roll_key("7 b")), ("7 b".into(), "7 b".into()));
        for other in ["ab", "A B", "AB1", "ＡＢ", ""] {
            assert_ne!(roll_key(other), "AB", "{other:?}");
        }
        assert_eq!(roll_key(" \u{a0}"), "");
    }

    #[test]
    fn a_search_knows_no_case_and_no_accents() {
        let pairs = [
            ("muller", "MÜLLER"),
            ("MÜLLER", "Mu\u{308}ller"),
            ("макс", "МАКС"),
            ("zoe", "👩🏽‍🎓 Zoë"),
            ("👩🏽‍🎓", "👩🏽‍🎓 Zoë"),
            ("strasse", "Straße"),
            ("ODYSSEUS", "odysseus"),
            ("ΟΔΥΣΣΕΥΣ", "Ὀδυσσεύς"),
            ("istanbul", "İstanbul"),
            ("ISIK", "ışık"),
            ("lodz", "Łódź"),
            ("soren", "Søren"),
            ("full", "Ｆｕｌｌ"),
            ("nguyen", "Nguyễn"),
            ("o'brien", "O'Brien"),
            ("محمد", "مُحَمَّد"),
            ("احمد", "أحمد"),
            ("van der", "Van\u{a0}der"),
            ("김", "김민준"),
        ];
        for (search, name) in pairs {
            assert!(finds(search, name), "{search} finds {name}");
        }
        for (search, name) in [("100_", "100% real"), ("%real", "100% real"), ("가", "각"), ("कि", "क"), ("a\nr", "A")]
        {
            assert!(!finds(search, name), "{search} does not find {name}");
        }
        assert!(finds("100% r", "100% real_name") && finds("l_n", "100% real_name") && !finds("_", "real name"));
        for all in ["", "%", "%%"] {
            assert_eq!(search_text(Some(all)), None);
        }
    }
}
