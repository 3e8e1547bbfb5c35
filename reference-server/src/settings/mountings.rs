//! How the cameras of a place are mounted.

use std::collections::BTreeMap;

use faceattend_core::camera::Orientation;

/// How the cameras of each place are mounted. One that starts a camera may say otherwise.
///
/// ```
/// use faceattend_core::camera::Orientation;
/// use faceattend_server::Mountings;
///
/// let hall = ("Hall".to_owned(), Orientation::HalfTurn);
/// let mountings = Mountings::default().with_orientations([hall]).with_mirrored(["Hall".to_owned()]);
/// assert_eq!(mountings.of(Some("Hall")), Orientation::HalfTurnMirrored);
/// assert_eq!(mountings.of(Some("Gate")), Orientation::Upright);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mountings {
    by_place: BTreeMap<String, Orientation>,
}

impl Mountings {
    /// Returns the same mountings, where the pictures of these places are turned like this.
    #[must_use]
    pub fn with_orientations(mut self, places: impl IntoIterator<Item = (String, Orientation)>) -> Self {
        self.by_place.extend(places);
        self
    }

    /// Returns the same mountings, where the pictures of these places are mirrored left to right once they are turned.
    #[must_use]
    pub fn with_mirrored(mut self, places: impl IntoIterator<Item = String>) -> Self {
        for place in places {
            let orientation = self.by_place.entry(place).or_default();
            *orientation = if orientation.is_mirrored() { *orientation } else { orientation.mirrored() };
        }
        self
    }

    /// Returns the orientation of a camera at this place.
    #[must_use]
    pub fn of(&self, place: Option<&str>) -> Orientation {
        place.and_then(|place| self.by_place.get(place)).copied().unwrap_or_default()
    }
}
