//! The words of letters, in the languages of the pages.

use std::fmt::Write as _;

use faceattend_core::store::{AlertEvent, AlertMessage};
use jiff::tz::TimeZone;
use serde::Deserialize;

/// The words of a language: a JSON file each, in the words that the pages have.
const LANGUAGES: [(&str, &str); 6] = [
    ("en", include_str!("letter.en.json")),
    ("de", include_str!("letter.de.json")),
    ("hi", include_str!("letter.hi.json")),
    ("es", include_str!("letter.es.json")),
    ("fr", include_str!("letter.fr.json")),
    ("ar", include_str!("letter.ar.json")),
];

/// A letter as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) subject: String,
    pub(super) plain: String,
    pub(super) html: String,
    pub(super) language: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    /// `ltr` or `rtl`.
    direction: String,
    events: Events,
    /// The subject of a letter about several kinds of events; `{count}` is their number.
    several: String,
    /// What every letter says at its end.
    footer: String,
    test_subject: String,
    test: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Events {
    marked: String,
    late: String,
    absent: String,
    left: String,
    left_early: String,
    spoof_suspected: String,
    camera_down: String,
}

impl Words {
    /// Returns the words of a language, or those of English for one that has none.
    fn of(language: &str) -> Option<(&'static str, Self)> {
        let known = LANGUAGES.iter().find(|(code, _)| *code == language).or(LANGUAGES.first())?;
        Some((known.0, serde_json::from_str(known.1).ok()?))
    }

    /// Keeps the signs of a value in their order: in a line from the right to the left, a Latin name would move the
    /// brackets behind it, and a date would turn around (Unicode's first strong isolate and pop directional isolate).
    fn apart(&self, value: &str) -> String {
        if self.direction == "rtl" { format!("\u{2068}{value}\u{2069}") } else { value.to_owned() }
    }

    fn event(&self, event: AlertEvent) -> &str {
        let Events { marked, late, absent, left, left_early, spoof_suspected, camera_down } = &self.events;
        match event {
            AlertEvent::Marked => marked,
            AlertEvent::Late => late,
            AlertEvent::Absent => absent,
            AlertEvent::Left => left,
            AlertEvent::LeftEarly => left_early,
            AlertEvent::SpoofSuspected => spoof_suspected,
            AlertEvent::CameraDown => camera_down,
        }
    }
}

/// Writes what the messages tell, by the clocks of the site. `None` only where a file of words is broken, which a test
/// finds.
pub(super) fn written(language: &str, zone: &TimeZone, messages: &[AlertMessage]) -> Option<Written> {
    let (language, words) = Words::of(language)?;
    let kinds: Vec<AlertEvent> =
        AlertEvent::ALL.into_iter().filter(|kind| messages.iter().any(|message| message.event == *kind)).collect();
    let subject = match (&kinds[..], messages) {
        (_, [only]) => {
            let who = only.facts.student_name.as_deref().or(only.facts.camera.as_deref()).unwrap_or_default();
            format!("{}: {}", words.event(only.event), words.apart(who))
        }
        ([kind], _) => format!("{}: {}", words.event(*kind), messages.len()),
        _ => words.several.replace("{count}", &messages.len().to_string()),
    };
    let mut parts = Vec::new();
    for kind in kinds {
        let of_kind = messages.iter().filter(|message| message.event == kind);
        let lines: Vec<String> = of_kind.map(|message| line(message, zone, &words)).collect();
        parts.push((format!("{} ({})", words.event(kind), lines.len()), lines));
    }
    Some(laid_out(language, &words, subject, &parts))
}

/// Writes a letter that tells nothing.
pub(super) fn test(language: &str) -> Option<Written> {
    let (language, words) = Words::of(language)?;
    Some(laid_out(language, &words, words.test_subject.clone(), &[(words.test.clone(), Vec::new())]))
}

/// Who it is about, and where and when it was.
fn line(message: &AlertMessage, zone: &TimeZone, words: &Words) -> String {
    let facts = &message.facts;
    let mut line = words.apart(facts.student_name.as_deref().or(facts.camera.as_deref()).unwrap_or_default());
    if let Some(roll) = &facts.roll_number {
        let _ = write!(line, " ({})", words.apart(roll));
    }
    let clock = zone.to_datetime(message.happened_at);
    let day = facts.day.unwrap_or(clock.date());
    let when = match message.event {
        AlertEvent::Absent => day.to_string(),
        _ => format!("{day} {}", clock.strftime("%H:%M")),
    };
    let _ = write!(line, ", {}", words.apart(&when));
    // The whole day has no name that people use.
    let places = [facts.period.as_ref().filter(|period| *period != "day"), facts.camera_location.as_ref()];
    for place in places.into_iter().flatten() {
        let _ = write!(line, ", {}", words.apart(place));
    }
    line
}

fn laid_out(language: &str, words: &Words, subject: String, parts: &[(String, Vec<String>)]) -> Written {
    let (mut plain, mut html) = (String::new(), String::new());
    for (heading, lines) in parts {
        let _ = writeln!(plain, "{heading}");
        let _ = write!(html, "<p><strong>{}</strong></p>", escaped(heading));
        if !lines.is_empty() {
            html.push_str("<ul>");
        }
        for line in lines {
            let _ = writeln!(plain, "- {line}");
            let _ = write!(html, "<li>{}</li>", escaped(line));
        }
        if !lines.is_empty() {
            html.push_str("</ul>");
        }
        plain.push('\n');
    }
    plain.push_str(&words.footer);
    plain.push('\n');
    let (direction, footer) = (&words.direction, escaped(&words.footer));
    let html = format!(
        "<!doctype html>\n<html lang=\"{language}\" dir=\"{direction}\"><head><meta charset=\"utf-8\"></head>\
         <body>{html}<p><small>{footer}</small></p></body></html>\n"
    );
    Written { subject, plain, html, language: language.to_owned() }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use faceattend_core::store::AlertFacts;

    use super::*;

    fn message(event: AlertEvent, name: &str) -> AlertMessage {
        let facts = AlertFacts {
            student_name: Some(name.into()),
            roll_number: Some("R1".into()),
            day: Some("2026-03-02".parse().unwrap()),
            period: Some("day".into()),
            camera_location: Some("Gate <1>".into()),
            ..AlertFacts::default()
        };
        AlertMessage { event, happened_at: "2026-03-02T03:30:00Z".parse().unwrap(), facts }
    }

    #[test]
    fn every_language_has_words_for_every_event() {
        for (code, _) in LANGUAGES {
            let (language, words) = Words::of(code).unwrap_or_else(|| panic!("{code} is broken"));
            assert_eq!(language, code);
            for event in AlertEvent::ALL {
                assert!(!words.event(event).is_empty(), "{code} {event:?}");
            }
            assert!(words.several.contains("{count}"), "{code}");
            assert_eq!(words.direction == "rtl", code == "ar");
            assert!(!words.footer.is_empty() && !words.test.is_empty() && !words.test_subject.is_empty(), "{code}");
        }
        assert_eq!(Words::of("xx").unwrap().0, "en");
    }

    #[test]
    fn a_letter_says_who_what_and_when_by_the_sites_clocks() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let letter = written("en", &zone, &[message(AlertEvent::Late, "Asha <b>")]).unwrap();
        assert_eq!(letter.subject, "Late: Asha <b>");
        assert!(letter.plain.contains("- Asha <b> (R1), 2026-03-02 09:00, Gate <1>"), "{}", letter.plain);
        assert!(letter.html.contains("<li>Asha &lt;b&gt; (R1)") && !letter.html.contains("<b>"), "{}", letter.html);
        assert!(!letter.html.contains("http"), "no letter loads anything");
    }

    #[test]
    fn a_letter_from_the_right_to_the_left_keeps_names_and_days_whole() {
        let letter = written("ar", &TimeZone::UTC, &[message(AlertEvent::Absent, "Asha (7A)")]).unwrap();
        assert!(letter.html.contains("dir=\"rtl\""));
        assert!(letter.subject.ends_with(": \u{2068}Asha (7A)\u{2069}"), "{}", letter.subject);
        let line = "- \u{2068}Asha (7A)\u{2069} (\u{2068}R1\u{2069}), \u{2068}2026-03-02\u{2069}, ";
        assert!(letter.plain.contains(line), "{}", letter.plain);
    }

    #[test]
    fn a_digest_counts_what_it_tells_and_puts_alike_together() {
        let zone = TimeZone::UTC;
        let absent: Vec<_> = (0..30).map(|n| message(AlertEvent::Absent, &format!("Student {n}"))).collect();
        let letter = written("de", &zone, &absent).unwrap();
        assert!(letter.subject.ends_with(": 30"), "{}", letter.subject);
        assert_eq!(letter.plain.lines().filter(|line| line.starts_with("- ")).count(), 30);
        let mixed = [message(AlertEvent::Late, "A"), message(AlertEvent::Absent, "B"), message(AlertEvent::Late, "C")];
        let letter = written("en", &zone, &mixed).unwrap();
        assert!(letter.subject.contains('3') && letter.plain.contains("Late (2)"), "{}", letter.plain);
    }
}
