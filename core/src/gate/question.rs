//! A short movement that a person is asked for who has shown no sign of life.
//!
//! The yaw of a [`Pose`] and its pitch are read from where the nose lies between the eyes and the mouth, which no
//! affine map of a flat picture changes: a photograph does not answer however it is held. A recording moves as it was
//! made, and makes the movement that was drawn by accident only.

use jiff::Timestamp;

use crate::liveness::{Mirrored, NOD, Position};
use crate::pose::Pose;

/// From which change of the yaw on a head has turned, in degrees: as far as a nod, of which two thirds are read.
const TURN: f32 = 12.0;
/// A movement that shows so soon after the question, in seconds, had begun before it: people need 0.2 s to hear and
/// begin.
const REACTION: f32 = 0.2;
/// How many views in a row show a movement.
const IN_A_ROW: usize = 2;
/// How many views before the question show how the head was held.
const BEFORE: usize = 5;
/// How many of 20 living people do as they are asked, and how many of 20 do something else. They were not measured:
/// people take their left for their right now and then.
const RIGHT_OF_LIVING: f32 = 0.95;
const WRONG_OF_LIVING: f32 = 0.05;

/// What a person is asked to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Question {
    pub(crate) movement: Position,
    pub(crate) asked_at: Timestamp,
    /// How the head was held before, in degrees to the person's own left, and upwards.
    before: [f32; 2],
    /// How many movements it was drawn from.
    choices: f32,
    /// The movement that the last views showed, and how many of them.
    shown: Option<(Position, usize)>,
}

/// What the views show after a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Answer {
    None,
    /// The movement that was asked for, or another one, with what that says of life in log-odds.
    Right(f32),
    Wrong(f32),
}

impl Question {
    /// Draws a movement by `random`: a turn, or a nod where the points follow the pitch. `before` are the latest poses,
    /// newest last; without any there is no question.
    pub(super) fn draw(
        random: u128,
        follows_pitch: bool,
        before: &[Pose],
        mirrored: Mirrored,
        at: Timestamp,
    ) -> Option<Self> {
        const MOVEMENTS: [Position; 4] = [Position::Left, Position::Right, Position::Up, Position::Down];
        let choices = if follows_pitch { 4 } else { 2 };
        let latest = &before[before.len().saturating_sub(BEFORE)..];
        let middle = |of: fn([f32; 2]) -> f32| {
            let mut values: Vec<f32> = latest.iter().map(|pose| of(held(pose, mirrored))).collect();
            values.sort_by(f32::total_cmp);
            values.get(values.len() / 2).copied()
        };
        let before = [middle(|held| held[0])?, middle(|held| held[1])?];
        let movement = MOVEMENTS[(random % choices) as usize];
        #[expect(clippy::cast_precision_loss, reason = "at most four")]
        Some(Self { movement, asked_at: at, before, choices: choices as f32, shown: None })
    }

    /// Takes a view in, and says whether the movement is done.
    pub(super) fn see(&mut self, pose: &Pose, mirrored: Mirrored, at: Timestamp) -> Answer {
        if at.duration_since(self.asked_at).as_secs_f32() < REACTION {
            return Answer::None;
        }
        self.shown = self.movement_of(held(pose, mirrored)).map(|movement| match self.shown {
            Some((same, views)) if same == movement => (same, views + 1),
            _ => (movement, 1),
        });
        match self.shown {
            Some((movement, views)) if views >= IN_A_ROW => self.judge(movement),
            _ => Answer::None,
        }
    }

    /// Says which of the movements lies farthest beyond its gate.
    fn movement_of(&self, held: [f32; 2]) -> Option<Position> {
        let turned = (held[0] - self.before[0]) / TURN;
        let nodded = if self.choices > 2.0 { (held[1] - self.before[1]) / NOD } else { 0.0 };
        let (most, movement) =
            [(turned, Position::Left), (-turned, Position::Right), (nodded, Position::Up), (-nodded, Position::Down)]
                .into_iter()
                .max_by(|a, b| a.0.total_cmp(&b.0))?;
        (most >= 1.0).then_some(movement)
    }

    /// Returns what a movement says of life. Of recordings that move at all, one in `choices` moves as it should.
    fn judge(&self, movement: Position) -> Answer {
        if movement == self.movement {
            Answer::Right((RIGHT_OF_LIVING * self.choices).ln())
        } else {
            Answer::Wrong((WRONG_OF_LIVING * self.choices / (self.choices - 1.0)).ln())
        }
    }
}

/// Returns how a head is held: to the person's own left, and upwards, in degrees.
fn held(pose: &Pose, mirrored: Mirrored) -> [f32; 2] {
    [mirrored.to_own_left(pose.yaw.0), pose.pitch.0]
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::types::Degrees;

    fn pose(yaw: f32, pitch: f32) -> Pose {
        Pose { yaw: Degrees(yaw), pitch: Degrees(pitch), ..Pose::default() }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(ms)
    }

    fn question(random: u128) -> Question {
        Question::draw(random, true, &[pose(3.0, -2.0), pose(40.0, -2.0), pose(3.0, -2.0)], Mirrored::No, at(0))
            .unwrap()
    }

    /// Shows the same pose twice, 0.5 and 0.6 s after the question.
    fn answer(mut question: Question, pose: &Pose) -> Answer {
        assert_eq!(question.see(pose, Mirrored::No, at(500)), Answer::None, "one view may be an error");
        question.see(pose, Mirrored::No, at(600))
    }

    #[test]
    fn the_movement_that_was_asked_for_speaks_for_life_and_another_against() {
        let moved = [pose(16.0, -2.0), pose(-10.0, -2.0), pose(3.0, 7.0), pose(3.0, -11.0)];
        for (asked, position) in [Position::Left, Position::Right, Position::Up, Position::Down].into_iter().enumerate()
        {
            assert_eq!(question(asked as u128).movement, position);
            for (shown, pose) in moved.iter().enumerate() {
                match answer(question(asked as u128), pose) {
                    Answer::Right(odds) => assert!(asked == shown && (1.3..1.4).contains(&odds), "{odds}"),
                    Answer::Wrong(odds) => assert!(asked != shown && (-2.8..-2.6).contains(&odds), "{odds}"),
                    Answer::None => panic!("{position} is not answered by {pose:?}"),
                }
            }
        }
    }

    #[test]
    fn a_head_that_hardly_moves_gives_no_answer() {
        assert_eq!(answer(question(0), &pose(13.0, 3.0)), Answer::None);
        assert_eq!(answer(question(0), &pose(f32::NAN, f32::NAN)), Answer::None);
    }

    #[test]
    fn what_was_begun_before_the_question_is_no_answer() {
        let mut question = question(0);
        for ms in [50, 100, 150] {
            assert_eq!(question.see(&pose(30.0, 0.0), Mirrored::No, at(ms)), Answer::None);
        }
    }

    #[test]
    fn in_a_mirror_left_is_on_the_other_side() {
        let mut question = Question::draw(0, true, &[pose(0.0, 0.0)], Mirrored::Yes, at(0)).unwrap();
        question.see(&pose(-20.0, 0.0), Mirrored::Yes, at(500));
        assert!(matches!(question.see(&pose(-20.0, 0.0), Mirrored::Yes, at(600)), Answer::Right(_)));
    }

    #[test]
    fn points_that_do_not_follow_the_pitch_are_asked_for_turns_alone() {
        for random in 0..8 {
            let question = Question::draw(random, false, &[pose(0.0, 0.0)], Mirrored::No, at(0)).unwrap();
            assert!(!question.movement.is_nod());
            assert_eq!(answer(question, &pose(0.0, 30.0)), Answer::None, "a nod is no wrong turn");
        }
        assert!(Question::draw(0, true, &[], Mirrored::No, at(0)).is_none(), "nobody knows how the head was held");
    }
}
