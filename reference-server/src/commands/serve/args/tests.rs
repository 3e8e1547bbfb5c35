use clap::{Command, FromArgMatches as _};

use super::*;

fn policy(arguments: &[&str]) -> std::result::Result<AttendancePolicy, String> {
    let command = ServeArgs::augment_args(Command::new("serve"));
    let arguments = [&["serve", "--time-zone", "UTC"], arguments].concat();
    let matches = command.try_get_matches_from(arguments).map_err(|error| error.to_string())?;
    let args = ServeArgs::from_arg_matches(&matches).map_err(|error| error.to_string())?;
    args.policy().map_err(|error| error.to_string())
}

#[test]
fn a_night_shift_is_one_day_and_its_end_a_check_out() {
    let night = ["--day-boundary", "12:00", "--periods", "night=22:00/22:15/05:30, early = 06:00"];
    let policy = policy(&night).unwrap();
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let (evening, morning) = (at("2026-03-02T22:05:00Z"), at("2026-03-03T05:45:00Z"));
    assert_eq!(policy.day(evening).unwrap().date, policy.day(morning).unwrap().date);
    assert_eq!((policy.period(evening), policy.period(morning)), ("night", "night"));
    assert!(policy.checks_out(morning) && !policy.checks_out(evening));
    assert_eq!(policy.period(at("2026-03-03T06:10:00Z")), "early");
}

#[test]
fn times_that_are_none_are_refused_in_words() {
    for (arguments, words) in [
        (["--day-boundary", "25:00"], "such as 04:00"),
        (["--periods", "night"], "night=22:00"),
        (["--periods", "a=1/2/3/4"], "night=22:00"),
        (["--periods", "a=06:00,a=07:00"], "two periods named"),
        (["--periods", "a=06:00/05:00,b=07:00"], "does not lie in it"),
    ] {
        let error = policy(&arguments).unwrap_err();
        assert!(error.contains(words), "{error}, not {words}");
    }
    assert!(policy(&[]).unwrap().periods().is_empty());
}
