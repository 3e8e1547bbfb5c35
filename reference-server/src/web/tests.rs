//! That the pages are whole: every file is served, every sentence exists in every language and is used.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{FILES, INDEX, JS, KIOSK, KIOSK_FILES, KIOSK_INSTALLATION};
use crate::router::endpoint::Audit;

/// The language that every other is held against.
const FIRST: &str = "text.en.json";

type Sentences = BTreeMap<String, Value>;

fn languages() -> Vec<(&'static str, Sentences)> {
    let tables = FILES.iter().filter(|(name, ..)| name.starts_with("text.") && name.ends_with(".json"));
    tables.map(|(name, _, text)| (*name, serde_json::from_str(text).unwrap())).collect()
}

fn english() -> Sentences {
    serde_json::from_str(FILES.iter().find(|(name, ..)| *name == FIRST).unwrap().2).unwrap()
}

fn scripts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let files = FILES.iter().chain(KIOSK_FILES).chain(KIOSK_INSTALLATION);
    files.filter(|(_, kind, _)| *kind == JS).map(|(name, _, text)| (*name, *text))
}

/// What stands between `"` and `"`, directly behind `before`.
fn quoted_after<'t>(text: &'t str, before: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next())
}

/// The words in braces, such as `{name}`.
fn blanks(sentence: &str) -> BTreeSet<&str> {
    sentence.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
}

/// The forms of a sentence: one, or one a plural category.
fn forms(sentence: &Value) -> Vec<&str> {
    match sentence {
        Value::String(text) => vec![text],
        Value::Object(forms) => forms.values().map(|form| form.as_str().unwrap()).collect(),
        other => panic!("neither a sentence nor its plurals: {other}"),
    }
}

#[test]
fn every_file_beside_this_one_is_served() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web");
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file());
    let there = files.map(|entry| entry.file_name().into_string().unwrap());
    let there: BTreeSet<String> = there.filter(|name| !name.ends_with(".rs") && !name.ends_with(".html")).collect();
    assert_eq!(there, FILES.iter().map(|(name, ..)| (*name).to_owned()).collect());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/kiosk");
    let there = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let there: BTreeSet<String> = there.filter(|name| !name.ends_with(".html")).collect();
    let served = KIOSK_FILES.iter().chain(KIOSK_INSTALLATION).map(|(name, ..)| name.trim_start_matches("kiosk-"));
    assert_eq!(there, served.map(str::to_owned).collect());
}

#[test]
fn what_a_script_imports_is_served() {
    for (file, text) in scripts() {
        let beside = if KIOSK_FILES.iter().any(|(known, ..)| *known == file) { KIOSK_FILES } else { FILES };
        for name in quoted_after(text, "from \"./") {
            assert!(beside.iter().any(|(known, ..)| *known == name), "{file} imports {name}");
        }
        for name in quoted_after(text, "from \"../") {
            assert!(FILES.iter().any(|(known, ..)| *known == name), "{file} imports {name}");
        }
    }
}

/// The plural categories of each language (Unicode CLDR). A million and more takes `many` in Spanish and French, which
/// no count of these pages reaches.
const PLURALS: [(&str, &[&str]); 6] = [
    ("en", &["one", "other"]),
    ("de", &["one", "other"]),
    ("es", &["one", "other"]),
    ("fr", &["one", "other"]),
    ("hi", &["one", "other"]),
    ("ar", &["zero", "one", "two", "few", "many", "other"]),
];

/// Sentences that another language says as English does.
const SAME_AS_ENGLISH: [&str; 22] = [
    ", {size} MB",
    "A",
    "Absent",
    "Actions",
    "Administration",
    "Code",
    "Error",
    "Kiosk",
    "Live",
    "Name",
    "P",
    "PIN",
    "Person",
    "Section",
    "Server",
    "Signature",
    "Start",
    "Status",
    "Tablet",
    "no",
    "{size} MB, {license}",
    "{time} ms",
];

/// The tag of a language's file, such as `de`.
fn tag(file: &str) -> &str {
    file.trim_start_matches("text.").trim_end_matches(".json")
}

#[test]
fn every_language_says_the_same_sentences_with_the_same_blanks() {
    let english = english();
    let languages = languages();
    assert_eq!(languages.len(), PLURALS.len());
    let mut differences = Vec::new();
    for (name, sentences) in &languages {
        let missing: Vec<_> = english.keys().filter(|key| !sentences.contains_key(*key)).collect();
        let foreign: Vec<_> = sentences.keys().filter(|key| !english.contains_key(*key)).collect();
        if !missing.is_empty() || !foreign.is_empty() {
            differences.push(format!("{name} lacks {missing:?} and has beside {foreign:?}"));
        }
        for (key, sentence) in sentences {
            let Some(model) = english.get(key) else { continue };
            let wanted: BTreeSet<_> = forms(model).into_iter().flat_map(blanks).collect();
            let found: BTreeSet<_> = forms(sentence).into_iter().flat_map(blanks).collect();
            assert_eq!(found, wanted, "{name}, {key}");
            assert!(forms(sentence).iter().all(|form| !form.trim().is_empty()), "{name}, {key} says nothing");
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn a_sentence_of_a_number_has_the_forms_of_its_language() {
    for (name, sentences) in languages() {
        let (_, categories) = PLURALS.iter().find(|(tag, _)| *tag == self::tag(name)).unwrap();
        let wanted: BTreeSet<&str> = categories.iter().copied().collect();
        for (key, sentence) in sentences {
            let Value::Object(forms) = sentence else { continue };
            let found: BTreeSet<&str> = forms.keys().map(String::as_str).collect();
            assert_eq!(found, wanted, "{name}, {key}");
        }
    }
}

#[test]
fn a_translation_is_not_the_english_sentence() {
    let english = english();
    for (name, sentences) in languages().into_iter().filter(|(name, _)| *name != FIRST) {
        for (key, sentence) in &sentences {
            let same = english.get(key) == Some(sentence) && says_words(sentence);
            let known = sentence.as_str().is_some_and(|text| SAME_AS_ENGLISH.contains(&text));
            assert!(!same || known, "{name}, {key} is still English: {sentence}");
        }
    }
}

/// Returns true where letters stand outside of the blanks.
fn says_words(sentence: &Value) -> bool {
    forms(sentence).iter().any(|form| {
        let without = form.split('{').flat_map(|part| part.rsplit('}').next());
        without.into_iter().any(|text| text.contains(char::is_alphabetic))
    })
}

/// What each language calls a student and a roll number.
const NOUNS: [(&str, &[&str]); 6] = [
    ("en", &["student", "roll number"]),
    ("de", &["schüler"]),
    ("es", &["estudiante", "matrícula"]),
    ("fr", &["élève", "matricule"]),
    ("hi", &["विद्यार्थी", "रोल नंबर"]),
    ("ar", &["طالب", "طلاب", "رقم القيد"]),
];

#[test]
fn no_sentence_with_the_nouns_of_the_place_says_student() {
    for (name, sentences) in languages() {
        let (_, nouns) = NOUNS.iter().find(|(tag, _)| *tag == self::tag(name)).unwrap();
        for (key, sentence) in &sentences {
            let others = |text: &str| text.to_lowercase().replace("{students}", "").replace("{student}", "");
            let says =
                |sentence| forms(sentence).iter().any(|text| nouns.iter().any(|noun| others(text).contains(noun)));
            if says(sentence) && key != "register.saved" {
                let named = sentences.get(&format!("{key}.named"));
                assert!(named.is_some_and(|named| !says(named)), "{name}, {key}: nothing for a place without students");
            }
        }
    }
}

#[test]
fn the_page_knows_every_language_that_there_is() {
    let text = scripts().find(|(name, _)| *name == "text.js").unwrap().1;
    for (name, _) in languages() {
        let tag = tag(name);
        assert!(text.contains(&format!(" {tag}: \"")), "text.js does not offer {tag}");
    }
}

#[test]
fn every_key_that_is_used_exists_and_none_is_unused() {
    let english = english();
    let mut used = BTreeSet::new();
    for attribute in ["data-text=\"", "data-label=\"", "data-example=\""] {
        used.extend(quoted_after(INDEX, attribute).chain(quoted_after(KIOSK, attribute)));
    }
    for (_, text) in scripts() {
        used.extend(quoted_after(text, " t(\""));
        used.extend(quoted_after(text, "(t(\""));
    }
    let unknown: Vec<_> = used.iter().filter(|key| !english.contains_key(**key)).collect();
    assert!(unknown.is_empty(), "used but nowhere said: {unknown:?}");
    // Tables and choices hold further keys, as plain strings.
    let everything: String = scripts().map(|(_, text)| text).chain([INDEX, KIOSK]).collect();
    // A sentence with the nouns of the place stands beside the one with the language's own, and is never named itself.
    let said =
        |key: &str| key.strip_suffix(".named").filter(|own| english.contains_key(*own)).unwrap_or(key).to_owned();
    let unused: Vec<_> = english.keys().filter(|key| !everything.contains(&format!("\"{}\"", said(key)))).collect();
    assert!(unused.is_empty(), "said but never used: {unused:?}");
}

#[test]
fn the_pages_have_no_words_of_their_own() {
    for (file, document) in [("index.html", INDEX), ("kiosk.html", KIOSK)] {
        let body = document.split_once("<body>").unwrap().1;
        let (before, rest) = body.split_once("<noscript>").unwrap();
        let body = format!("{before}{}", rest.split_once("</noscript>").unwrap().1);
        let mut words = String::new();
        for (at, part) in body.split('<').enumerate() {
            // A comment's own `<` and `>` are none of the document's.
            let text = if part.starts_with("!--") { "" } else { part.split_once('>').map_or(part, |(_, text)| text) };
            if at > 0 {
                words += text;
            }
        }
        let words: String = words.chars().filter(|c| c.is_alphabetic()).collect();
        assert_eq!(words, "", "{file} says something that nobody can translate");
        for attribute in [" placeholder=", " title=", " aria-label=", " alt=\"A"] {
            assert!(!body.contains(attribute), "{file} has{attribute}, which nobody can translate");
        }
    }
    for (file, text) in scripts() {
        for before in ["textContent = \"", "textContent = `", "say(note, \"", "guide(\"", "banner(\"", "new Error(\""] {
            let said = text.split(before).skip(1).find(|rest| rest.starts_with(char::is_alphabetic));
            assert!(said.is_none(), "{file}: {before}{}", said.unwrap_or_default().lines().next().unwrap_or_default());
        }
    }
}

#[test]
fn every_icon_that_is_used_is_there() {
    let there: BTreeSet<_> = quoted_after(INDEX, "<symbol id=\"icon-").collect();
    let script = |wanted| scripts().find(|(name, _)| *name == wanted).unwrap().1;
    let mut used: BTreeSet<_> = quoted_after(INDEX, "href=\"#icon-").collect();
    for (_, text) in scripts() {
        used.extend(quoted_after(text, "icon(\""));
        used.extend(quoted_after(text, "nothing(\""));
        used.extend(quoted_after(text, "item(\""));
    }
    let table = script("looks.js").split_once("const SIGNS = {").unwrap().1.split_once('}').unwrap().0;
    used.extend(quoted_after(table, ": \""));
    let pages = script("pages.js").split("  page(").skip(1).filter_map(|line| line.split(", ").nth(3));
    used.extend(pages.map(|icon| icon.trim_matches('"')).filter(|icon| *icon != "null"));
    assert!(used.len() > 15, "{used:?}");
    let missing: Vec<_> = used.difference(&there).collect();
    assert!(missing.is_empty(), "used but not in the sprite: {missing:?}");
}

/// The codes in the core's sources: its reasons cannot be listed, for new ones may come.
fn codes_of_the_core() -> BTreeSet<String> {
    let core = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    let mut codes = BTreeSet::new();
    for (file, kind) in [("liveness/decision.rs", "Self::"), ("quality.rs", "Self::")] {
        let text = fs::read_to_string(core.join(file)).unwrap();
        let function = text.split_once("fn code(").unwrap().1;
        let function = function.split_once("\n    }\n").unwrap().0;
        for arm in function.lines().filter(|line| line.trim().starts_with(kind)) {
            codes.extend(quoted_after(arm, "=> \"").map(str::to_owned));
        }
    }
    codes
}

#[test]
fn every_reason_of_the_core_has_a_sentence() {
    let codes = codes_of_the_core();
    assert!(codes.len() > 25 && codes.contains("no_face") && codes.contains("too_dark"), "{codes:?}");
    let guidance = scripts().find(|(name, _)| *name == "guidance.js").unwrap().1;
    for code in codes {
        assert!(guidance.contains(&format!("{code}: \"reason.{code}\"")), "guidance.js does not know {code}");
    }
}

#[test]
fn every_reason_against_a_living_person_has_a_sentence() {
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../core/src/gate/verdict.rs");
    let text = fs::read_to_string(source).unwrap();
    let codes = text.split_once("impl LifeReason {").unwrap().1.split_once("\n}\n").unwrap().0;
    let codes: BTreeSet<&str> = quoted_after(codes, "=> \"").collect();
    assert!(codes.len() >= 4 && codes.contains("few_views"), "{codes:?}");
    let page = scripts().find(|(name, _)| *name == "second-look.js").unwrap().1;
    for code in codes {
        assert!(page.contains(&format!("{code}: \"life.{code}\"")), "second-look.js does not know {code}");
    }
}

#[test]
fn every_change_in_the_audit_log_has_a_sentence() {
    let log = scripts().find(|(name, _)| *name == "log.js").unwrap().1;
    let mut changes = 0;
    for endpoint in crate::api::table().take_endpoints().into_iter().map(|listed| listed.endpoint) {
        if endpoint.audit == Audit::None {
            continue;
        }
        changes += 1;
        let action = format!("{} {}", endpoint.method, endpoint.path);
        assert!(log.contains(&format!("\"{action}\": \"action.")), "log.js has no words for {action}");
    }
    assert!(changes >= 20, "{changes}");
}

#[test]
fn the_sentence_that_ends_a_registration_is_the_promised_one() {
    assert_eq!(english()["register.saved"], "Student embeddings captured and saved successfully");
}

/// The files of the shell that the kiosk's worker keeps.
fn shell() -> BTreeSet<&'static str> {
    let worker = scripts().find(|(name, _)| *name == "kiosk-worker.js").unwrap().1;
    let list = worker.split_once("const KEPT = [").unwrap().1.split_once("];").unwrap().0;
    list.split('"').skip(1).step_by(2).collect()
}

#[test]
fn the_kiosks_worker_keeps_the_whole_shell_and_no_data() {
    let shell = shell();
    for (name, ..) in KIOSK_FILES {
        assert!(shell.contains(format!("kiosk/{name}").as_str()), "{name} is not kept");
    }
    // What the page's scripts load beside their own files.
    for (_, _, text) in KIOSK_FILES {
        for name in quoted_after(text, "from \"../") {
            assert!(shell.contains(name), "{name} is not kept");
        }
    }
    for name in &shell {
        let own = name.strip_prefix("kiosk/").map(|own| KIOSK_FILES.iter().any(|(known, ..)| *known == own));
        let served = || FILES.iter().chain(KIOSK_INSTALLATION).any(|(known, ..)| known == name);
        assert!(own.unwrap_or_else(|| *name == "kiosk" || served()), "{name} is kept and not served");
    }
    let worker = scripts().find(|(name, _)| *name == "kiosk-worker.js").unwrap().1;
    assert!(!worker.contains("api/"), "an answer of the API is nobody's shell");
}

#[test]
fn every_advice_and_greeting_of_a_kiosk_has_a_sentence() {
    let core = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    let codes = |file: &str, function: &str| {
        let text = fs::read_to_string(core.join(file)).unwrap();
        let body = text.split_once(function).unwrap().1.split_once("\n    }\n").unwrap().0.to_owned();
        quoted_after(&body, "=> \"").map(str::to_owned).collect::<Vec<_>>()
    };
    let page = |name: &str| scripts().find(|(file, _)| *file == name).unwrap().1;
    let advice = codes("kiosk/advice.rs", "fn code(");
    assert!(advice.len() >= 4, "{advice:?}");
    let quality = codes("quality.rs", "fn code(");
    for code in advice.iter().chain(&quality).map(String::as_str).chain(["left", "right", "up", "down"]) {
        assert!(page("kiosk.js").contains(&format!("  {code}: \"")), "kiosk.js does not know {code}");
    }
    let greetings = codes("kiosk/greeting.rs", "fn as_str(");
    assert!(greetings.len() >= 5, "{greetings:?}");
    for kind in greetings {
        assert!(page("greeting.js").contains(&format!("  {kind}: {{")), "greeting.js does not know {kind}");
    }
}
