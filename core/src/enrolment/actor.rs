//! Who enrols, and what they may do.

/// Who enrols: a name for the audit log, and whether a face may take the place of one that it is unlike.
///
/// ```
/// use faceattend_core::enrolment::Actor;
///
/// let operator = Actor::named("gate-desk");
/// assert!(!operator.replaces_unlike_faces());
/// assert!(Actor::named("head-office").replacing_unlike_faces(true).replaces_unlike_faces());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor<'a> {
    name: &'a str,
    replaces_unlike_faces: bool,
}

impl<'a> Actor<'a> {
    /// Returns the actor with this name, who may replace a face only by one like it.
    #[must_use]
    pub const fn named(name: &'a str) -> Self {
        Self { name, replaces_unlike_faces: false }
    }

    /// Lets the actor replace a face by one that is unlike it, or not. For administrators: whoever may do it can give
    /// one person's name to another person's face.
    #[must_use]
    pub const fn replacing_unlike_faces(mut self, may: bool) -> Self {
        self.replaces_unlike_faces = may;
        self
    }

    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.name
    }

    /// Returns whether the actor may replace a face by one that is unlike it.
    #[must_use]
    pub fn replaces_unlike_faces(self) -> bool {
        self.replaces_unlike_faces
    }
}
