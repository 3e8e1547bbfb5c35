//! What both databases do alike with kiosks.

use super::limits::{self, fits, has_no_control_character, is_blank};
use super::{Kiosk, KioskSettings, NewAttendance};
use crate::error::{Error, Result};

pub(super) const NO_KIOSK: Error = Error::NotFound { what: "kiosk" };
pub(super) const TAKEN: Error = Error::Conflict { what: "kiosk with this name" };

/// The columns of a kiosk, in the order in which both databases read them.
pub(super) const COLUMNS: &str =
    "id, name, location, gate, tone, speech, pin_hash, code_until, paired_at, last_seen_at,
    created_at, created_by, changed_at, changed_by";

/// Checks what an operator says of a kiosk.
pub(super) fn settings_fit(settings: &KioskSettings) -> Result<()> {
    let KioskSettings { name, location, .. } = settings;
    fits("kiosk name", name, limits::CAMERA_NAME)?;
    has_no_control_character("kiosk name", name)?;
    if is_blank(name) {
        return Err(Error::invalid_input("kiosk name", "it is empty"));
    }
    let location = location.as_deref().unwrap_or_default();
    has_no_control_character("location of a kiosk", location)?;
    fits("location of a kiosk", location, limits::CAMERA_LOCATION)
}

/// Checks that there is room for a kiosk more.
pub(super) fn has_room(count: u64) -> Result<()> {
    if count >= limits::KIOSKS {
        return Err(Error::invalid_input("kiosk", format!("there are {} already", limits::KIOSKS)));
    }
    Ok(())
}

/// Puts kiosks in the order of a list.
pub(super) fn in_order(mut kiosks: Vec<Kiosk>) -> Vec<Kiosk> {
    kiosks.sort_by_cached_key(|kiosk| (super::text_keys::camera_key(&kiosk.settings.name), kiosk.id));
    kiosks
}

/// Checks the texts of a mark that somebody vouches for.
pub(super) fn vouched_fits(new: &NewAttendance, by: &str, reason: &str) -> Result<()> {
    super::rules::mark_fits(new)?;
    fits("name of who vouches", by, limits::PERSON)?;
    fits("reason of a mark", reason, limits::REASON)
}
