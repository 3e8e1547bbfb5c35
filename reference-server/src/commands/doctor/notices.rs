//! Whether notices get out.

use faceattend_core::store::{AlertSecret, OutboxState, Store};
use jiff::{SignedDuration, Timestamp};

use super::Finding;

const SUBJECT: &str = "notices";
/// How long something may wait before it is worth a word: an hour is longer than a mail server's restart, and an e-mail
/// channel that collects for longer is an operator's choice that this names too.
const STUCK_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Returns what there is to say of the outbox at `now`; nothing where nobody is to be told of anything.
pub(super) fn outbox(store: &dyn Store, now: Timestamp) -> Option<Finding> {
    let read = || Ok::<_, faceattend_core::Error>((store.alert_channels()?, store.outbox_state()?));
    let (channels, state) = match read() {
        Ok(read) => read,
        Err(error) => {
            let advice = "`faceattend doctor` again when nothing else runs";
            return Some(Finding::problem(SUBJECT, error.to_string(), advice));
        }
    };
    if channels.is_empty() {
        return None;
    }
    let locked = channels.iter().filter(|channel| matches!(channel.secret, AlertSecret::Locked(_)));
    let locked: Vec<&str> = locked.map(|channel| channel.name.as_str()).collect();
    if !locked.is_empty() {
        let found = format!("the secrets of {} cannot be read: they send nothing", locked.join(", "));
        let advice = "start with the key file that holds their key (--template-key-file FILE), or type the secrets \
                      again on the page Notices";
        return Some(Finding::problem(SUBJECT, found, advice));
    }
    Some(of_state(&state, now))
}

fn of_state(state: &OutboxState, now: Timestamp) -> Finding {
    let waiting = state.waiting_since.map(|since| now.duration_since(since)).filter(|waits| *waits > STUCK_AFTER);
    let advice = "the page Notices says what went wrong with each: mend the channel, test it there, and send again \
                  what was given up";
    match (state.dead, waiting) {
        (0, None) => Finding::ok(SUBJECT, format!("{} wait to be sent, none is stuck", state.waiting)),
        (0, Some(waits)) => {
            let found = format!("{} wait, the oldest for {} minutes", state.waiting, waits.as_mins());
            Finding::warning(SUBJECT, found, advice)
        }
        (dead, _) => Finding::warning(SUBJECT, format!("{dead} were given up, {} wait", state.waiting), advice),
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::super::Verdict;
    use super::*;

    #[test]
    fn what_is_stuck_or_given_up_is_told() {
        let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        let verdict = |waiting: u64, minutes: i64, dead: u64| {
            let mut state = OutboxState::default();
            (state.waiting, state.dead) = (waiting, dead);
            state.waiting_since = (waiting > 0).then(|| now - minutes.minutes());
            of_state(&state, now).verdict
        };
        assert_eq!((verdict(0, 0, 0), verdict(3, 59, 0)), (Verdict::Ok, Verdict::Ok));
        assert_eq!((verdict(3, 61, 0), verdict(0, 0, 1)), (Verdict::Warning, Verdict::Warning));
    }
}
