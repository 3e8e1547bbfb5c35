//! Views of a student that a camera saw later, kept beside the registered templates: what may be kept, decided for
//! every database alike.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::types::ModelId;

/// Where a template comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateOrigin {
    /// From a registration, a photograph or an import: somebody answers for it.
    #[default]
    Registered,
    /// A view that a camera saw later, kept beside the registered ones: see
    /// [`Templates::keep_seen_template`](crate::store::Templates::keep_seen_template).
    Seen,
}

impl TemplateOrigin {
    /// Returns the spelling in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Seen => SEEN,
        }
    }

    /// Returns the origin that a row names. An unknown word counts as registered, as rows without the column do.
    pub(in crate::store) fn of_row(stored: Option<&str>) -> Self {
        if stored == Some(SEEN) { Self::Seen } else { Self::Registered }
    }
}

/// The word of the column `origin` for [`TemplateOrigin::Seen`].
pub(in crate::store) const SEEN: &str = "seen";

/// How many views of cameras are kept beside a student's registered templates, and how often one is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenLimits {
    /// The most views that are kept, and never more than there are registered ones: the registration keeps half of the
    /// weight in the mean that the student is matched by.
    pub most: usize,
    /// No view is added sooner than this after the newest template, registered or seen.
    pub every: SignedDuration,
}

/// The result of offering a view that a camera saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptSeen {
    /// The view was kept.
    Kept {
        /// Whether the oldest seen view was deleted for it.
        replaced: bool,
    },
    /// The newest template is too young.
    TooSoon {
        /// From when on a view may be added.
        not_before: Timestamp,
    },
    /// The student has no registered template of this model to stand beside.
    NothingRegistered,
}

/// The part of a template's row that the rule needs.
pub(in crate::store) struct SeenRow {
    pub(in crate::store) id: i64,
    pub(in crate::store) model: ModelId,
    pub(in crate::store) origin: TemplateOrigin,
    pub(in crate::store) added_at: Timestamp,
}

/// Decides about a view of `model` beside the student's `rows`, which are in the order in which they were added.
/// Returns the answer, and the row that is deleted for the view.
pub(in crate::store) fn plan(
    rows: &[SeenRow],
    model: &ModelId,
    limits: &SeenLimits,
    now: Timestamp,
) -> (KeptSeen, Option<i64>) {
    let of = |origin| rows.iter().filter(move |row| row.origin == origin && row.model == *model);
    let registered = of(TemplateOrigin::Registered).count();
    if registered == 0 || limits.most == 0 {
        return (KeptSeen::NothingRegistered, None);
    }
    // A clock that was set back makes rows from the future, after which nothing is due for long: the safe side.
    let newest = rows.iter().map(|row| row.added_at).max();
    let not_before = newest.and_then(|newest| newest.checked_add(limits.every).ok());
    if let Some(not_before) = not_before.filter(|not_before| now < *not_before) {
        return (KeptSeen::TooSoon { not_before }, None);
    }
    let full = of(TemplateOrigin::Seen).count() >= limits.most.min(registered);
    let oldest = of(TemplateOrigin::Seen).next().filter(|_| full).map(|row| row.id);
    (KeptSeen::Kept { replaced: oldest.is_some() }, oldest)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    const LIMITS: SeenLimits = SeenLimits { most: 3, every: SignedDuration::from_hours(30 * 24) };

    fn at(day: i64) -> Timestamp {
        "2026-03-01T08:00:00Z".parse::<Timestamp>().unwrap() + (24 * day).hours()
    }

    fn row(id: i64, model: &str, origin: TemplateOrigin, day: i64) -> SeenRow {
        SeenRow { id, model: ModelId::new(model), origin, added_at: at(day) }
    }

    fn planned(rows: &[SeenRow], day: i64) -> (KeptSeen, Option<i64>) {
        plan(rows, &ModelId::new("m"), &LIMITS, at(day))
    }

    use TemplateOrigin::{Registered, Seen};

    #[test]
    fn a_registered_template_is_never_replaced() {
        let mut rows = vec![row(1, "m", Registered, 0), row(2, "m", Registered, 0)];
        assert_eq!(planned(&rows, 30), (KeptSeen::Kept { replaced: false }, None));
        rows.push(row(3, "m", Seen, 30));
        assert_eq!(planned(&rows, 60), (KeptSeen::Kept { replaced: false }, None));
        // Two seen beside two registered: from now on the oldest seen one makes room.
        rows.push(row(4, "m", Seen, 60));
        assert_eq!(planned(&rows, 90), (KeptSeen::Kept { replaced: true }, Some(3)));
        let many: Vec<_> =
            (0..9).map(|id| row(id, "m", Registered, 0)).chain((9..12).map(|id| row(id, "m", Seen, id))).collect();
        assert_eq!(planned(&many, 90), (KeptSeen::Kept { replaced: true }, Some(9)), "three at most");
    }

    #[test]
    fn a_month_passes_between_two_templates() {
        let rows = [row(1, "m", Registered, 0), row(2, "m", Registered, 0), row(3, "m", Seen, 31)];
        assert_eq!(planned(&rows, 60), (KeptSeen::TooSoon { not_before: at(61) }, None));
        assert_eq!(planned(&rows, 61).0, KeptSeen::Kept { replaced: false });
        assert_eq!(
            planned(&rows[..1], 29).0,
            KeptSeen::TooSoon { not_before: at(30) },
            "a fresh registration is not old"
        );
    }

    #[test]
    fn nothing_is_kept_without_a_registration_of_the_same_model() {
        assert_eq!(planned(&[], 90), (KeptSeen::NothingRegistered, None));
        assert_eq!(planned(&[row(1, "other", Registered, 0)], 90), (KeptSeen::NothingRegistered, None));
        assert_eq!(planned(&[row(1, "m", Seen, 0)], 90), (KeptSeen::NothingRegistered, None));
        let off = SeenLimits { most: 0, ..LIMITS };
        assert_eq!(
            plan(&[row(1, "m", Registered, 0)], &ModelId::new("m"), &off, at(90)).0,
            KeptSeen::NothingRegistered
        );
    }
}
