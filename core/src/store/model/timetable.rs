//! Timetables: the days of the week, the periods of a day, and from when on they hold.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Serialize};

use super::super::limits;
use crate::error::{Error, Result};

/// The period of a site that marks once a day.
pub const WHOLE_DAY: &str = "day";

/// A part of the day that is marked once, such as a lesson. It lasts until the next one begins, so an arrival after
/// its end still counts, as late.
///
/// ```
/// use faceattend_core::attendance::Period;
/// use jiff::civil::time;
///
/// let morning = Period::new("morning", time(7, 30, 0, 0))
///     .with_late_after(time(8, 15, 0, 0))
///     .with_check_out_from(time(12, 0, 0, 0));
/// assert_eq!(morning.name(), "morning");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    name: String,
    begins: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late_after: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check_out_from: Option<Time>,
}

impl Period {
    /// Creates a period that begins at this time of the site's clocks: from then on an arrival is one for it, so
    /// choose the time at which the doors open rather than the bell.
    #[must_use]
    pub fn new(name: impl Into<String>, begins: Time) -> Self {
        Self { name: name.into(), begins, late_after: None, check_out_from: None }
    }

    /// Creates the period of a whole day, for a site that marks once a day and knows late from early.
    #[must_use]
    pub fn whole_day(day_boundary: Time) -> Self {
        Self::new(WHOLE_DAY, day_boundary)
    }

    /// Returns the period with arrivals from this time on marked late.
    #[must_use]
    pub fn with_late_after(mut self, late_after: Time) -> Self {
        self.late_after = Some(late_after);
        self
    }

    /// Returns the period with a check-out: a marked person who is seen from this time on is checked out, and the last
    /// sighting counts.
    #[must_use]
    pub fn with_check_out_from(mut self, check_out_from: Time) -> Self {
        self.check_out_from = Some(check_out_from);
        self
    }

    /// Its name, under which it is stored.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the time at which it begins.
    #[must_use]
    pub fn begins(&self) -> Time {
        self.begins
    }

    /// Returns the time from which on an arrival is late.
    #[must_use]
    pub fn late_after(&self) -> Option<Time> {
        self.late_after
    }

    /// Returns the time from which on a marked person who is seen is leaving.
    #[must_use]
    pub fn check_out_from(&self) -> Option<Time> {
        self.check_out_from
    }

    /// Returns the periods of a day that begins at `day_boundary`, in order.
    ///
    /// ```
    /// use faceattend_core::attendance::Period;
    /// use jiff::civil::Time;
    ///
    /// let periods = vec!["noon=12:00".parse()?, "morning=08:00/08:15".parse()?];
    /// assert_eq!(Period::in_order(periods, Time::midnight())?[0].name(), "morning");
    /// let twice = vec!["a=08:00".parse()?, "b=08:00".parse()?];
    /// assert!(Period::in_order(twice, Time::midnight()).is_err());
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for two periods with one name or one beginning, for times that lie outside theirs, and
    /// for more than [`limits::PERIODS`].
    pub fn in_order(mut periods: Vec<Self>, day_boundary: Time) -> Result<Vec<Self>> {
        let wrong = |reason: String| Err(Error::invalid_input("timetable", reason));
        if periods.len() > limits::PERIODS {
            return wrong(format!("it has more than {} periods", limits::PERIODS));
        }
        periods.sort_by_key(|period| since(day_boundary, period.begins()));
        for (at, period) in periods.iter().enumerate() {
            let (name, begins) = (period.name(), period.begins());
            if name.trim().is_empty() {
                return wrong(format!("the period that begins at {begins} has no name"));
            }
            if limits::cut(name, limits::PERIOD).len() < name.len() {
                return wrong(format!("the name of the period that begins at {begins} is too long"));
            }
            if periods[..at].iter().any(|other| other.name() == name) {
                return wrong(format!("there are two periods named {name:?}"));
            }
            let next = periods.get(at + 1).map(|next| since(day_boundary, next.begins()));
            if next == Some(since(day_boundary, begins)) {
                return wrong(format!("two periods begin at {begins}"));
            }
            for (what, time) in [("late_after", period.late_after()), ("check_out_from", period.check_out_from())] {
                let Some(time) = time else { continue };
                let offset = since(day_boundary, time);
                if offset < since(day_boundary, begins) || next.is_some_and(|next| offset >= next) {
                    return wrong(format!("{what} {time} of {name:?} does not lie in it"));
                }
            }
        }
        Ok(periods)
    }
}

/// Reads a period as settings write it: its name and when it begins, then from when on arrivals are late, then from
/// when on a sighting is a check-out. The last two may be left out.
///
/// ```
/// use faceattend_core::attendance::Period;
/// use jiff::civil::time;
///
/// let night: Period = "night=22:00/22:15/05:30".parse()?;
/// let expected = Period::new("night", time(22, 0, 0, 0)).with_late_after(time(22, 15, 0, 0));
/// assert_eq!(night, expected.with_check_out_from(time(5, 30, 0, 0)));
/// assert_eq!("early=06:00".parse::<Period>()?, Period::new("early", time(6, 0, 0, 0)));
/// assert!("early".parse::<Period>().is_err());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
impl FromStr for Period {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let reason = format!("{text:?} is no name and times such as night=22:00, or night=22:00/22:15/05:30");
            Error::invalid_input("period", reason)
        };
        let (name, times) = text.rsplit_once('=').ok_or_else(wrong)?;
        let mut times = times.split('/').map(str::trim);
        let time = |text: &str| text.parse::<Time>().map_err(|_| wrong());
        let optional = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(time).transpose();
        let begins = time(times.next().unwrap_or_default())?;
        let (late_after, check_out_from) = (optional(times.next())?, optional(times.next())?);
        if times.next().is_some() || name.trim().is_empty() {
            return Err(wrong());
        }
        Ok(Self { name: name.trim().to_owned(), begins, late_after, check_out_from })
    }
}

/// Writes the period as [`FromStr`] reads it.
///
/// ```
/// use faceattend_core::attendance::Period;
///
/// for text in ["early=06:00", "night=22:00/22:15/05:30", "noon=12:00//13:30"] {
///     assert_eq!(text.parse::<Period>()?.to_string(), text);
/// }
/// # Ok::<(), faceattend_core::Error>(())
/// ```
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |time: Time| {
            let form = if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
            time.strftime(form).to_string()
        };
        write!(f, "{}={}", self.name, clock(self.begins))?;
        match (self.late_after, self.check_out_from) {
            (None, None) => Ok(()),
            (Some(late), None) => write!(f, "/{}", clock(late)),
            (late, Some(out)) => write!(f, "/{}/{}", late.map(clock).unwrap_or_default(), clock(out)),
        }
    }
}

/// Days of the week, at least one.
///
/// ```
/// use faceattend_core::store::Weekdays;
/// use jiff::civil::Weekday;
///
/// let days: Weekdays = "mon wed sat".parse()?;
/// assert!(days.has(Weekday::Wednesday) && !days.has(Weekday::Sunday));
/// assert_eq!(days.to_string(), "mon wed sat");
/// assert!("".parse::<Weekdays>().is_err());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Weekdays(u8);

const WEEK: [(Weekday, &str); 7] = [
    (Weekday::Monday, "mon"),
    (Weekday::Tuesday, "tue"),
    (Weekday::Wednesday, "wed"),
    (Weekday::Thursday, "thu"),
    (Weekday::Friday, "fri"),
    (Weekday::Saturday, "sat"),
    (Weekday::Sunday, "sun"),
];

impl Weekdays {
    /// Monday to Friday, where nobody has said anything else.
    pub const MONDAY_TO_FRIDAY: Self = Self(0b1_1111);

    /// Returns these days.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for none.
    pub fn new(days: impl IntoIterator<Item = Weekday>) -> Result<Self> {
        let days = days.into_iter().fold(0, |set, day| set | bit(day));
        if days == 0 {
            return Err(Error::invalid_input("timetable", "it has no day of the week: choose at least one"));
        }
        Ok(Self(days))
    }

    /// Returns whether the day is one of them.
    #[must_use]
    pub fn has(self, day: Weekday) -> bool {
        self.0 & bit(day) != 0
    }

    /// Returns the days, from Monday on.
    pub fn iter(self) -> impl Iterator<Item = Weekday> {
        WEEK.into_iter().map(|(day, _)| day).filter(move |day| self.has(*day))
    }
}

fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

/// Writes the days as [`FromStr`] reads them.
impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = WEEK.iter().filter(|(day, _)| self.has(*day)).map(|(_, word)| *word).collect();
        f.write_str(&words.join(" "))
    }
}

/// Reads the first three letters of the days, separated by spaces or commas.
impl FromStr for Weekdays {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let words = text.split(|letter: char| letter.is_whitespace() || letter == ',').filter(|word| !word.is_empty());
        let days = words.map(|word| {
            let word = word.to_lowercase();
            WEEK.iter()
                .find(|(_, known)| *known == word)
                .map(|(day, _)| *day)
                .ok_or_else(|| Error::invalid_input("timetable", format!("{word:?} is no day such as mon, tue or sun")))
        });
        Self::new(days.collect::<Result<Vec<_>>>()?)
    }
}

/// Whom a timetable or an entry of the calendar is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RosterScope {
    /// Everybody.
    Site,
    /// The members of the group with this key.
    Group(i64),
}

impl RosterScope {
    /// Returns the group, if it is one.
    #[must_use]
    pub fn group(self) -> Option<i64> {
        match self {
            Self::Site => None,
            Self::Group(id) => Some(id),
        }
    }

    /// Returns the scope of this group, of the site where there is none.
    #[must_use]
    pub fn of(group: Option<i64>) -> Self {
        group.map_or(Self::Site, Self::Group)
    }
}

/// A version of a timetable: what holds from a day on, until the next version begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimetableVersion {
    /// The key of the row.
    pub id: i64,
    /// Whom it is for.
    pub scope: RosterScope,
    /// The first day on which it holds.
    pub valid_from: Date,
    /// The days of the week on which people are expected.
    pub weekdays: Weekdays,
    /// The periods of each of these days; none for a day that is marked once.
    pub periods: Vec<Period>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

/// A version of a timetable that is to be kept: its periods do not contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTimetable {
    /// Whom it is for.
    pub scope: RosterScope,
    /// The first day on which it holds.
    pub valid_from: Date,
    /// The days of the week on which people are expected.
    pub weekdays: Weekdays,
    periods: Vec<Period>,
    /// The name of the person who makes it.
    pub by: String,
    /// The time.
    pub at: Timestamp,
}

impl NewTimetable {
    /// Returns the timetable of a site whose day begins at `day_boundary`. Without periods, each day is marked once.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for periods that contradict each other: see [`Period::in_order`].
    pub fn new(
        scope: RosterScope,
        valid_from: Date,
        weekdays: Weekdays,
        periods: Vec<Period>,
        day_boundary: Time,
        by: impl Into<String>,
        at: Timestamp,
    ) -> Result<Self> {
        let periods = Period::in_order(periods, day_boundary)?;
        Ok(Self { scope, valid_from, weekdays, periods, by: by.into(), at })
    }

    /// Returns the periods of each day, in order.
    #[must_use]
    pub fn periods(&self) -> &[Period] {
        &self.periods
    }
}

/// Returns the time since the day's beginning, by the clocks, in nanoseconds.
pub(crate) fn since(day_boundary: Time, time: Time) -> i64 {
    const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;
    let nanoseconds = |t: Time| {
        (i64::from(t.hour()) * 3600 + i64::from(t.minute()) * 60 + i64::from(t.second())) * 1_000_000_000
            + i64::from(t.subsec_nanosecond())
    };
    (nanoseconds(time) - nanoseconds(day_boundary)).rem_euclid(DAY)
}
