//! What is asked of the person: the positions, their order, the sense of left and right, and the gates of yaw.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::decision::Turn;
use crate::types::Degrees;

/// Where the head is to point. Left and right are the person's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// Into the camera.
    Center,
    /// To the person's own left.
    Left,
    /// To the person's own right.
    Right,
}

impl Position {
    /// Every position, in the order in which the existing pages ask for them.
    pub const ALL: [Self; 3] = [Self::Center, Self::Left, Self::Right];

    /// The name on the wire: `center`, `left` or `right`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Center => "center",
            Self::Left => "left",
            Self::Right => "right",
        }
    }

    /// The position that `name` spells on the wire, exactly.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|position| position.as_str() == name)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// In which order a session asks for its positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// As frames come: for pictures that nobody was asked for one by one.
    Any,
    /// Center, left, right: what the existing pages ask. A recording of a head turn follows it as well.
    #[default]
    Fixed,
    /// Drawn for every session, with steps that come again, each told only when the one before has passed. For clients
    /// that do what [`super::Outcome::next`] says. A recording made beforehand follows one of many orders.
    Random,
}

/// The steps of a session, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Challenge {
    /// Drawn from the system once; every order and nonce follows from it, so that the state machine stays one.
    entropy: String,
    /// How often it began anew.
    draws: u32,
    steps: Vec<Position>,
    done: usize,
}

impl Challenge {
    pub(super) fn new(order: Order, extra_steps: u32, entropy: u128) -> Self {
        let mut challenge = Self { entropy: format!("{entropy:032x}"), ..Self::default() };
        challenge.draw(order, extra_steps);
        challenge
    }

    /// Begins anew; a random order is drawn anew.
    pub(super) fn restart(&mut self, order: Order, extra_steps: u32) {
        self.draws += 1;
        self.done = 0;
        self.draw(order, extra_steps);
    }

    fn draw(&mut self, order: Order, extra_steps: u32) {
        self.steps = match order {
            Order::Any => Vec::new(),
            Order::Fixed => Position::ALL.to_vec(),
            Order::Random => self.drawn(extra_steps),
        };
    }

    /// One of the sequences that hold every position, none twice in a row and enough turns, each as likely as any other.
    /// The turns are what a recording has to guess: ahead it is between any two of them.
    fn drawn(&self, extra_steps: u32) -> Vec<Position> {
        // A draw holds every position with a probability of at least 1/2, so 64 fail together once in 2^64 sessions.
        for round in 0..64 {
            let random = self.digest("steps", round);
            let mut steps = vec![Position::ALL[usize::from(random[0]) % 3]];
            for byte in random.iter().skip(1).take(2 + extra_steps as usize) {
                let others: Vec<_> = Position::ALL.into_iter().filter(|p| Some(p) != steps.last()).collect();
                steps.push(others[usize::from(*byte) % 2]);
            }
            let turns = steps.iter().filter(|step| **step != Position::Center).count();
            if Position::ALL.iter().all(|position| steps.contains(position)) && turns >= 2 + extra_steps as usize / 2 {
                return steps;
            }
        }
        Position::ALL.to_vec()
    }

    fn digest(&self, what: &str, number: usize) -> [u8; 32] {
        Sha256::digest(format!("{} {} {what} {number}", self.entropy, self.draws)).into()
    }

    /// The position to ask for now; `None` when every step has passed, or when there is no order.
    pub(super) fn current(&self) -> Option<Position> {
        self.steps.get(self.done).copied()
    }

    /// The steps passed, and how many there are.
    pub(super) fn progress(&self) -> (usize, usize) {
        (self.done, self.steps.len())
    }

    /// The step that passed last.
    pub(super) fn before(&self) -> Option<Position> {
        self.done.checked_sub(1).and_then(|at| self.steps.get(at)).copied()
    }

    pub(super) fn advance(&mut self) {
        self.done = (self.done + 1).min(self.steps.len());
    }

    /// The nonce of the session's receipt: it tells nothing of the session, and is the same however often it is asked for.
    #[cfg(feature = "receipts")]
    pub(super) fn receipt_nonce(&self, session: &str) -> String {
        let digest: [u8; 32] = Sha256::digest(format!("{} {session} receipt", self.entropy)).into();
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The word that an answer to the current step has to carry. It changes with every step.
    pub(super) fn nonce(&self) -> String {
        self.digest("nonce", self.done).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether frames arrive flipped, as a mirror shows them. It decides which sign of yaw is the person's own left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mirrored {
    /// Flipped: the person's own left is the image's left, yaw is negative there. The existing page sends such frames,
    /// hence the default.
    #[default]
    Yes,
    /// As a camera takes them (RTSP, USB, files): the person's own left is the image's right, yaw is positive there.
    No,
}

impl Mirrored {
    /// How far `image_turn`, positive towards the image's right edge, goes to the person's own left. Serves degrees of
    /// yaw and nose offsets alike.
    #[must_use]
    pub fn to_own_left(self, image_turn: f32) -> f32 {
        match self {
            Self::Yes => -image_turn,
            Self::No => image_turn,
        }
    }
}

/// How far the head must or may be turned for each position.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gates {
    /// Center: at most so far to either side. Default 5, as the existing service documents it.
    pub center: Degrees,
    /// Left: further than so far to the person's own left. Default 15, as the existing service documents it.
    pub left: Degrees,
    /// Right: further than so far to the person's own right. Default 15, as the existing service documents it.
    pub right: Degrees,
}

impl Default for Gates {
    fn default() -> Self {
        Self { center: Degrees(5.0), left: Degrees(15.0), right: Degrees(15.0) }
    }
}

/// A turn of 15 degrees beyond the gate is as clear as it needs to be: the real turns measured were of about 25 to 30
/// degrees, and further round the points get unsure.
const CLEAR_TURN_BEYOND_GATE: f32 = 15.0;
/// The confidence at the edge of a gate. The existing page submits its form only above .7 (WIRE decision 4).
const CONFIDENCE_AT_GATE: f32 = 0.75;

impl Gates {
    /// The position that a head with `yaw` shows, or `None` for a yaw that is no number. Between the gates it is
    /// `Center`, though not yet near enough to pass for it: the existing service answers so.
    #[must_use]
    pub fn shown(&self, yaw: Degrees, mirrored: Mirrored) -> Option<Position> {
        let own_left = mirrored.to_own_left(yaw.0);
        if own_left.is_nan() {
            None
        } else if own_left > self.left.0 {
            Some(Position::Left)
        } else if own_left < -self.right.0 {
            Some(Position::Right)
        } else {
            Some(Position::Center)
        }
    }

    /// Whether `yaw` lies in the gate of `position`.
    #[must_use]
    pub fn admit(&self, position: Position, yaw: Degrees, mirrored: Mirrored) -> bool {
        match position {
            Position::Center => yaw.0.abs() <= self.center.0,
            Position::Left | Position::Right => self.shown(yaw, mirrored) == Some(position),
        }
    }

    /// The yaws, in the frame as received, between which `position` is shown, both as far as 90 degrees to a side.
    #[must_use]
    pub fn range(&self, position: Position, mirrored: Mirrored) -> [Degrees; 2] {
        let side =
            |from: f32| if from < 0.0 { [Degrees(-90.0), Degrees(from)] } else { [Degrees(from), Degrees(90.0)] };
        match position {
            Position::Center => [Degrees(-self.center.0), self.center],
            Position::Left => side(mirrored.to_own_left(self.left.0)),
            Position::Right => side(-mirrored.to_own_left(self.right.0)),
        }
    }

    /// How far `yaw` lies outside the gate of `position`, in degrees; 0 inside it, and without bound for no number.
    #[must_use]
    pub fn outside(&self, position: Position, yaw: Degrees, mirrored: Mirrored) -> f32 {
        if self.admit(position, yaw, mirrored) {
            return 0.0;
        }
        let [from, to] = self.range(position, mirrored);
        let distance = (from.0 - yaw.0).max(yaw.0 - to.0);
        if distance.is_nan() { f32::INFINITY } else { distance.max(0.0) }
    }

    /// How well `yaw` shows `position`: 0 outside the gate; .75 at its edge, rising to 1 straight ahead, or 15 degrees
    /// beyond the gate to the sides.
    #[must_use]
    pub fn confidence(&self, position: Position, yaw: Degrees, mirrored: Mirrored) -> f32 {
        if !self.admit(position, yaw, mirrored) {
            return 0.0;
        }
        let turn = yaw.0.abs();
        let inside = match position {
            Position::Center if self.center.0 > 0.0 => 1.0 - turn / self.center.0,
            Position::Center => 1.0,
            Position::Left => (turn - self.left.0) / CLEAR_TURN_BEYOND_GATE,
            Position::Right => (turn - self.right.0) / CLEAR_TURN_BEYOND_GATE,
        };
        CONFIDENCE_AT_GATE + (1.0 - CONFIDENCE_AT_GATE) * inside.clamp(0.0, 1.0)
    }

    /// Which way to turn from `yaw` to reach `position`.
    #[must_use]
    pub fn turn_towards(&self, position: Position, yaw: Degrees, mirrored: Mirrored) -> Turn {
        let own_left = mirrored.to_own_left(yaw.0);
        match position {
            Position::Left if own_left > self.center.0 => Turn::FurtherLeft,
            Position::Left => Turn::Left,
            Position::Right if own_left < -self.center.0 => Turn::FurtherRight,
            Position::Right => Turn::Right,
            Position::Center if own_left > 0.0 => Turn::BackFromLeft,
            Position::Center => Turn::BackFromRight,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_left_is_the_image_left_in_a_mirrored_frame_and_its_right_otherwise() {
        let gates = Gates::default();
        assert_eq!(gates.shown(Degrees(-20.0), Mirrored::Yes), Some(Position::Left));
        assert_eq!(gates.shown(Degrees(-20.0), Mirrored::No), Some(Position::Right));
        assert_eq!(gates.shown(Degrees(20.0), Mirrored::Yes), Some(Position::Right));
        assert_eq!(gates.shown(Degrees(20.0), Mirrored::No), Some(Position::Left));
    }

    #[test]
    fn the_edges_of_the_gates_are_those_of_the_wire() {
        let gates = Gates::default();
        let admits = |position, yaw| gates.admit(position, Degrees(yaw), Mirrored::Yes);
        assert!(admits(Position::Center, 5.0) && admits(Position::Center, -5.0) && !admits(Position::Center, 5.01));
        assert!(!admits(Position::Left, -15.0) && admits(Position::Left, -15.01));
        assert!(!admits(Position::Right, 15.0) && admits(Position::Right, 15.01));
        assert_eq!(gates.shown(Degrees(8.0), Mirrored::Yes), Some(Position::Center));
    }

    #[test]
    fn a_yaw_that_is_no_number_shows_nothing() {
        let gates = Gates::default();
        assert_eq!(gates.shown(Degrees(f32::NAN), Mirrored::Yes), None);
        for position in Position::ALL {
            assert!(!gates.admit(position, Degrees(f32::NAN), Mirrored::Yes), "{position}");
            assert_eq!(gates.confidence(position, Degrees(f32::NAN), Mirrored::Yes), 0.0);
        }
    }

    #[test]
    fn every_frame_inside_a_gate_is_confident_enough_for_the_page() {
        let gates = Gates::default();
        for step in -600..=600_i16 {
            let yaw = Degrees(f32::from(step) / 10.0);
            for position in Position::ALL {
                let confidence = gates.confidence(position, yaw, Mirrored::Yes);
                assert!((0.0..=1.0).contains(&confidence));
                assert_eq!(
                    confidence > 0.7,
                    gates.admit(position, yaw, Mirrored::Yes),
                    "{position} {yaw}: {confidence}"
                );
            }
        }
    }

    #[test]
    fn a_drawn_order_holds_every_position_and_none_twice_in_a_row() {
        let mut seen = std::collections::BTreeMap::<Vec<Position>, u32>::new();
        for entropy in 0..4000 {
            let challenge = Challenge::new(Order::Random, 1, entropy);
            assert_eq!(challenge, Challenge::new(Order::Random, 1, entropy), "not drawn from its entropy alone");
            assert!(challenge.steps.windows(2).all(|pair| pair[0] != pair[1]), "{challenge:?}");
            assert!(Position::ALL.iter().all(|position| challenge.steps.contains(position)), "{challenge:?}");
            *seen.entry(challenge.steps).or_default() += 1;
        }
        // 3 * 2^3 walks less the 6 that go to and fro between two positions. 4,000 draws of 18: 222 each, give or take 15.
        assert_eq!(seen.len(), 18);
        assert!(seen.values().all(|count| (150..300).contains(count)), "{seen:?}");
    }

    #[test]
    fn every_step_has_a_nonce_of_its_own_that_the_one_before_does_not_tell() {
        let mut challenge = Challenge::new(Order::Random, 2, 7);
        let mut nonces = std::collections::BTreeSet::new();
        while challenge.current().is_some() {
            assert!(nonces.insert(challenge.nonce()));
            challenge.advance();
        }
        assert_eq!((nonces.len(), challenge.progress()), (5, (5, 5)));
        challenge.restart(Order::Random, 2);
        assert!(!nonces.contains(&challenge.nonce()), "a restart must not take old answers");
        assert_eq!(challenge.nonce().len(), 32);
    }

    #[test]
    fn gates_tell_their_range_and_the_way_to_it() {
        let gates = Gates::default();
        assert_eq!(gates.range(Position::Left, Mirrored::Yes), [Degrees(-90.0), Degrees(-15.0)]);
        assert_eq!(gates.range(Position::Left, Mirrored::No), [Degrees(15.0), Degrees(90.0)]);
        assert_eq!(gates.outside(Position::Left, Degrees(-12.0), Mirrored::Yes), 3.0);
        assert_eq!(gates.outside(Position::Center, Degrees(8.0), Mirrored::Yes), 3.0);
        assert_eq!(gates.outside(Position::Right, Degrees(20.0), Mirrored::Yes), 0.0);
        assert!(gates.outside(Position::Right, Degrees(f32::NAN), Mirrored::Yes).is_infinite());
    }

    #[test]
    fn advice_points_the_right_way() {
        let gates = Gates::default();
        let turn = |position, yaw| gates.turn_towards(position, Degrees(yaw), Mirrored::Yes);
        assert_eq!(turn(Position::Left, -10.0), Turn::FurtherLeft);
        assert_eq!(turn(Position::Left, 20.0), Turn::Left);
        assert_eq!(turn(Position::Right, 10.0), Turn::FurtherRight);
        assert_eq!(turn(Position::Center, -20.0), Turn::BackFromLeft);
        assert_eq!(gates.turn_towards(Position::Center, Degrees(-20.0), Mirrored::No), Turn::BackFromRight);
    }
}
