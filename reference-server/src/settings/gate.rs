//! What is asked of a face before its person is marked.

use std::collections::BTreeMap;

use faceattend_core::camera::Nature;
use faceattend_core::gate::{GateOptions, GatePolicy, UnprovenFaces};
use jiff::SignedDuration;

/// What cameras ask of a face before its person is marked.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GateSettings {
    /// The policy of every camera that has none of its own. Default `None`: a living person for live sources, and
    /// nothing for recordings, which say what they saw.
    pub policy: Option<GatePolicy>,
    /// The policies of cameras, by their places.
    pub by_place: BTreeMap<String, GatePolicy>,
    /// How long a person is watched for signs of life before somebody has to look.
    pub wait: SignedDuration,
    /// Whether faces that no liveness session proved count for marks.
    pub unproven: UnprovenFaces,
    /// What one picture at `/face/recognize` does.
    pub single_pictures: SinglePictures,
}

/// What one picture does that is sent to be recognized: it shows nothing of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SinglePictures {
    /// It names whom it shows, and marks nobody where living people are asked for.
    #[default]
    Name,
    /// It marks whom it shows, as in the existing service.
    Mark,
}

impl Default for GateSettings {
    fn default() -> Self {
        let wait = GateOptions::default().wait;
        Self {
            policy: None,
            by_place: BTreeMap::new(),
            wait,
            unproven: UnprovenFaces::default(),
            single_pictures: SinglePictures::default(),
        }
    }
}

impl GateSettings {
    /// The same settings with this policy for every camera that has none of its own.
    #[must_use]
    pub fn with_policy(mut self, policy: Option<GatePolicy>) -> Self {
        self.policy = policy;
        self
    }

    /// The same settings with the policies of these places.
    #[must_use]
    pub fn with_places(mut self, places: impl IntoIterator<Item = (String, GatePolicy)>) -> Self {
        self.by_place = places.into_iter().collect();
        self
    }

    /// The same settings, watching for signs of life for so long.
    #[must_use]
    pub fn with_wait(mut self, wait: SignedDuration) -> Self {
        self.wait = wait;
        self
    }

    /// The same settings, with this policy for faces that no liveness session proved.
    #[must_use]
    pub fn with_unproven(mut self, unproven: UnprovenFaces) -> Self {
        self.unproven = unproven;
        self
    }

    /// The same settings, where single pictures do this.
    #[must_use]
    pub fn with_single_pictures(mut self, single_pictures: SinglePictures) -> Self {
        self.single_pictures = single_pictures;
        self
    }

    /// What a source at this place asks for.
    pub(crate) fn of(&self, nature: Nature, place: Option<&str>) -> GateOptions {
        self.with(nature, place, None)
    }

    /// The same of a source that has a policy of its own or none.
    pub(crate) fn with(&self, nature: Nature, place: Option<&str>, own: Option<GatePolicy>) -> GateOptions {
        let of_place = place.and_then(|place| self.by_place.get(place)).copied();
        GateOptions::of(own.or(of_place).or(self.policy).unwrap_or_else(|| GatePolicy::usual_for(nature)))
            .with_wait(self.wait)
            .with_unproven(self.unproven)
    }

    /// Whether one picture that shows a student at this place marks the student.
    pub(crate) fn marks_single_pictures(&self, place: Option<&str>) -> bool {
        self.single_pictures == SinglePictures::Mark || !self.of(Nature::Live, place).policy.marks_the_living_alone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_overrules_the_server_and_the_server_the_nature_of_a_source() {
        let usual = GateSettings::default();
        assert_eq!(usual.of(Nature::Live, Some("Gate")).policy, GatePolicy::Require);
        assert_eq!(usual.of(Nature::Recording, None).policy, GatePolicy::Observe);
        let strict = usual.with_policy(Some(GatePolicy::Require)).with_places([("Gate".into(), GatePolicy::Off)]);
        assert_eq!(strict.of(Nature::Recording, None).policy, GatePolicy::Require);
        assert_eq!(strict.of(Nature::Live, Some("Gate")).policy, GatePolicy::Off);
        assert!(strict.marks_single_pictures(Some("Gate")) && !strict.marks_single_pictures(None));
        assert!(strict.with_single_pictures(SinglePictures::Mark).marks_single_pictures(None));
    }
}
