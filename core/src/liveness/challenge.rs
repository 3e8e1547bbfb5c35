//! The challenge of a session: the order of the positions, and a nonce for each step.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::position::Position;

/// The order in which a session asks for its positions.
///
/// ```
/// use faceattend_core::liveness::Order;
/// use faceattend_core::{LivenessOptions, LivenessSession, SessionId, Timestamp};
///
/// let options = LivenessOptions::default().with_order(Order::Random, 3);
/// let session = LivenessSession::new(SessionId::random(), None, options, Timestamp::now());
/// // A random order has a nonce for each step; the client sends it with its frames.
/// assert!(session.nonce().is_some());
/// assert_eq!(session.steps(), (0, 6));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Accepts positions in any order, for unguided frames.
    Any,
    /// Center, left, right: what the existing pages ask. A recording of a head turn follows it as well.
    #[default]
    Fixed,
    /// Drawn for every session, with steps that come again, each told only when the one before has passed. For clients
    /// that do what [`super::Outcome::next`] says. A recording made beforehand follows one of many orders.
    Random,
}

/// Whether a random order asks the person to look up and down as well. A nod proves a movement; its view is not kept.
///
/// ```
/// use faceattend_core::liveness::{Nods, Order};
/// use faceattend_core::{LivenessOptions, LivenessSession, SessionId, Timestamp};
///
/// let options = LivenessOptions::guarded().with_nods(Nods::Yes);
/// let session = LivenessSession::new(SessionId::random(), None, options, Timestamp::now());
/// assert_eq!(session.steps(), (0, 6), "no more steps than without them");
/// # assert_eq!(options.order, Order::Random);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Nods {
    /// Center, left and right only: for clients that know no other position.
    #[default]
    No,
    /// At least one of the steps is looking up or down, after the first look straight ahead, which it is measured
    /// against. It needs points that follow the pitch: the default pack's mesh or SCRFD's, not YuNet's.
    Yes,
}

/// The steps of a session, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Challenge {
    /// Drawn from the system once; every order and nonce follows from it, so that the state machine stays one.
    entropy: String,
    /// The number of restarts.
    draws: u32,
    steps: Vec<Position>,
    done: usize,
}

impl Challenge {
    pub(super) fn new(order: Order, extra_steps: u32, nods: Nods, entropy: u128) -> Self {
        let mut challenge = Self { entropy: format!("{entropy:032x}"), ..Self::default() };
        challenge.draw(order, extra_steps, nods);
        challenge
    }

    /// Begins anew; a random order is drawn anew.
    pub(super) fn restart(&mut self, order: Order, extra_steps: u32, nods: Nods) {
        self.draws = self.draws.saturating_add(1);
        self.done = 0;
        self.draw(order, extra_steps, nods);
    }

    fn draw(&mut self, order: Order, extra_steps: u32, nods: Nods) {
        self.steps = match order {
            Order::Any => Vec::new(),
            Order::Fixed => Position::ALL.to_vec(),
            Order::Random if nods == Nods::Yes => self.drawn_with_nods(extra_steps),
            Order::Random => self.drawn(extra_steps),
        };
    }

    /// Draws one of the sequences that hold every position, none twice in a row and enough turns, each as likely as
    /// any other. The turns are what a recording has to guess: ahead it is between any two of them.
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

    /// Draws one of the sequences that also hold a nod, none before the first center, and at least three turns or nods.
    /// It is as long as one without nods, and at least one step longer than the views.
    fn drawn_with_nods(&self, extra_steps: u32) -> Vec<Position> {
        let length = Position::ALL.len() + extra_steps.max(1) as usize;
        // A draw fits with a probability of more than 1/8 (the test counts), so 512 fail together once in 10^29
        // sessions.
        for round in 0..512 {
            let random = self.digest("steps with nods", round);
            let mut steps: Vec<Position> = Vec::with_capacity(length);
            for byte in random.iter().take(length) {
                let nods = if steps.contains(&Position::Center) { &Position::NODS[..] } else { &[] };
                let others: Vec<Position> =
                    Position::ALL.iter().chain(nods).copied().filter(|p| Some(p) != steps.last()).collect();
                steps.push(others[usize::from(*byte) % others.len()]);
            }
            let moves = steps.iter().filter(|step| **step != Position::Center).count();
            let nods = steps.iter().any(|step| step.is_nod());
            if nods && moves >= 3 && Position::ALL.iter().all(|position| steps.contains(position)) {
                return steps;
            }
        }
        Position::ALL.to_vec()
    }

    fn digest(&self, what: &str, number: usize) -> [u8; 32] {
        Sha256::digest(format!("{} {} {what} {number}", self.entropy, self.draws)).into()
    }

    /// Returns the position to ask for now; `None` when every step has passed, or when there is no order.
    pub(super) fn current(&self) -> Option<Position> {
        self.steps.get(self.done).copied()
    }

    /// Returns the steps passed, and how many there are.
    pub(super) fn progress(&self) -> (usize, usize) {
        (self.done, self.steps.len())
    }

    /// Returns the step that passed last.
    pub(super) fn before(&self) -> Option<Position> {
        self.done.checked_sub(1).and_then(|at| self.steps.get(at)).copied()
    }

    pub(super) fn advance(&mut self) {
        self.done = self.done.saturating_add(1).min(self.steps.len());
    }

    /// Returns the nonce of the session's receipt: it tells nothing of the session, and is the same however often it
    /// is asked for.
    #[cfg(feature = "receipts")]
    pub(super) fn receipt_nonce(&self, session: &str) -> String {
        let digest: [u8; 32] = Sha256::digest(format!("{} {session} receipt", self.entropy)).into();
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns the word that an answer to the current step has to carry. It changes with every step.
    pub(super) fn nonce(&self) -> String {
        self.digest("nonce", self.done).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_order_holds_every_position_and_none_twice_in_a_row() {
        let mut seen = std::collections::BTreeMap::<Vec<Position>, u32>::new();
        for entropy in 0..4000 {
            let challenge = Challenge::new(Order::Random, 1, Nods::No, entropy);
            assert_eq!(
                challenge,
                Challenge::new(Order::Random, 1, Nods::No, entropy),
                "not drawn from its entropy alone"
            );
            assert!(challenge.steps.windows(2).all(|pair| pair[0] != pair[1]), "{challenge:?}");
            assert!(Position::ALL.iter().all(|position| challenge.steps.contains(position)), "{challenge:?}");
            *seen.entry(challenge.steps).or_default() += 1;
        }
        // 3 * 2^3 walks less the 6 that go to and fro between two positions. 4,000 draws of 18: 222 each, give or take
        // 15.
        assert_eq!(seen.len(), 18);
        assert!(seen.values().all(|count| (150..300).contains(count)), "{seen:?}");
    }

    #[test]
    fn an_order_with_nods_holds_every_view_and_a_nod_after_the_first_center() {
        let mut seen = std::collections::BTreeMap::<Vec<Position>, u32>::new();
        for extra_steps in [0, 3] {
            for entropy in 0..4000 {
                let Challenge { steps, .. } = Challenge::new(Order::Random, extra_steps, Nods::Yes, entropy);
                assert_eq!(steps.len(), if extra_steps == 0 { 4 } else { 6 });
                assert!(steps.windows(2).all(|pair| pair[0] != pair[1]), "{steps:?}");
                assert!(Position::ALL.iter().all(|position| steps.contains(position)), "{steps:?}");
                let nod = steps.iter().position(|step| step.is_nod()).expect("a nod");
                assert!(steps[..nod].contains(&Position::Center), "{steps:?}");
                *seen.entry(steps).or_default() += u32::from(extra_steps == 3);
            }
        }
        // A recording fits one of many: no order comes often.
        let drawn: Vec<u32> = seen.into_values().filter(|count| *count > 0).collect();
        assert!(
            drawn.len() > 200 && drawn.iter().all(|count| *count < 120),
            "{} {:?}",
            drawn.len(),
            drawn.iter().max()
        );
    }

    #[test]
    fn every_step_has_a_nonce_of_its_own_that_the_one_before_does_not_tell() {
        let mut challenge = Challenge::new(Order::Random, 2, Nods::No, 7);
        let mut nonces = std::collections::BTreeSet::new();
        while challenge.current().is_some() {
            assert!(nonces.insert(challenge.nonce()));
            challenge.advance();
        }
        assert_eq!((nonces.len(), challenge.progress()), (5, (5, 5)));
        challenge.restart(Order::Random, 2, Nods::No);
        assert!(!nonces.contains(&challenge.nonce()), "a restart must not take old answers");
        assert_eq!(challenge.nonce().len(), 32);
    }
}
