//! Every text that a request may hold, with its limits in characters: one table for the whole API. A field of another
//! kind (a date, a word of a list) is bounded by its form, and every body by [`BODY_LIMIT`](super::body::BODY_LIMIT).
//!
//! What is stored is as long as the stores keep it; see [`faceattend_core::store::limits`].

use faceattend_core::store::limits;

use super::kinds::{TEXT, Text};

/// The longest text that is compared with what is there and kept nowhere: the recordings send 20,000 characters and
/// read the answer to a text that matches nothing.
pub(crate) const COMPARED: usize = 20_000;

/// The longest text in a query or in a path: it takes twelve bytes a character where it is encoded.
const IN_ADDRESS: usize = 1000;

/// The name of a student.
pub(crate) const STUDENT_NAME: Text = TEXT.of(1, limits::STUDENT_NAME).example("Asha Rao");
/// A roll number. The demo pages call it `roll_no`.
pub(crate) const ROLL_NUMBER: Text = TEXT.of(1, limits::ROLL_NUMBER).or_named("roll_no").example("R001");
/// A part of a name or of a roll number.
pub(crate) const SEARCHED: Text = TEXT.of(0, IN_ADDRESS);

/// The name of a group.
pub(crate) const GROUP_NAME: Text = TEXT.of(1, limits::GROUP_NAME).example("5A");
/// Days of the week, by their first three letters.
pub(crate) const WEEKDAYS: Text = TEXT.of(1, 100).example("mon tue wed thu fri");
/// The name of an entry of the calendar.
pub(crate) const CALENDAR_NAME: Text = TEXT.of(1, limits::CALENDAR_NAME).example("Autumn holidays");
/// The name of a period.
pub(crate) const PERIOD_NAME: Text = TEXT.of(0, limits::PERIOD).example("morning");
/// Why somebody is absent.
pub(crate) const EXCUSE_REASON: Text = TEXT.of(1, limits::REASON).example("a doctor's appointment");
/// The sheet of a workbook.
pub(crate) const SHEET: Text = TEXT.of(0, IN_ADDRESS).example("5A");
/// A language of the pages.
pub(crate) const LANGUAGE: Text = TEXT.of(1, 20).example("en");

/// The location of a camera.
pub(crate) const CAMERA_LOCATION: Text = TEXT.of(0, limits::CAMERA_LOCATION).example("Gate 1");
/// The address of a camera.
pub(crate) const CAMERA_ADDRESS: Text = TEXT.of(0, limits::CAMERA_ADDRESS).example("rtsp://camera.local/stream");
/// The name of a camera.
pub(crate) const CAMERA_NAME: Text = TEXT.of(1, limits::CAMERA_NAME).example("Main gate");
/// The user of a camera, and its password: longer than any that a camera takes.
pub(crate) const CAMERA_LOGIN: Text = TEXT.of(0, 255);
/// The file of a camera's preview.
pub(crate) const PREVIEW: Text = TEXT.of(0, IN_ADDRESS).example("1.mjpeg");

/// A code that pairs a kiosk, with spaces and hyphens.
pub(crate) const PAIRING_CODE: Text = TEXT.of(1, 100).example("7KQM-2XRV");
/// The PIN of a supervisor, or none.
pub(crate) const PIN: Text = TEXT.of(0, 100).example("493027");
/// The name of a channel or of a rule of notices.
pub(crate) const ALERT_NAME: Text = TEXT.of(1, limits::ALERT_NAME).example("School office");
/// The address of a webhook.
pub(crate) const ALERT_URL: Text = TEXT.of(0, limits::ALERT_URL).example("https://school.example/hook");
/// A mail server.
pub(crate) const ALERT_HOST: Text = TEXT.of(0, limits::ALERT_HOST).example("mail.school.example");
/// The name to log in to a mail server with.
pub(crate) const ALERT_USER: Text = TEXT.of(0, limits::PERSON);
/// The sender of letters.
pub(crate) const ALERT_FROM: Text = TEXT.of(0, limits::PERSON).example("School <office@school.example>");
/// The secret of a channel.
pub(crate) const ALERT_SECRET: Text = TEXT.of(0, limits::ALERT_SECRET);
/// An e-mail address.
pub(crate) const EMAIL: Text = TEXT.of(0, limits::EMAIL).example("office@school.example");
/// A time of the day.
pub(crate) const CLOCK_TIME: Text = TEXT.of(0, 8).example("09:00");
/// The id of a letter in a path.
pub(crate) const LETTER_ID: Text = TEXT.of(1, 36).example("6c1e3a52-0d0e-4a38-9f63-2f6b1f6d9a10");

/// A session's id.
pub(crate) const SESSION_ID: Text = TEXT.of(0, COMPARED).example("6c1e3a52-0d0e-4a38-9f63-2f6b1f6d9a10");
/// A session's id in a path.
pub(crate) const SESSION_ID_IN_PATH: Text = TEXT.of(0, IN_ADDRESS).example("6c1e3a52-0d0e-4a38-9f63-2f6b1f6d9a10");
/// The nonce of a step of a session.
pub(crate) const NONCE: Text = TEXT.of(0, COMPARED);

/// The status of an attendance row.
pub(crate) const STATUS: Text = TEXT.of(0, IN_ADDRESS);
/// The name of a period of the day.
pub(crate) const PERIOD: Text = TEXT.of(0, IN_ADDRESS).example("morning");
/// A month.
pub(crate) const MONTH: Text = TEXT.of(0, IN_ADDRESS).example("2026-11");
/// The name of a format.
pub(crate) const FORMAT: Text = TEXT.of(0, IN_ADDRESS);
/// The name of a file of the pages.
pub(crate) const FILE: Text = TEXT.of(0, IN_ADDRESS);

/// The name of a person who gave a consent.
pub(crate) const PERSON: Text = TEXT.of(1, limits::PERSON).example("a parent");
/// The version of the notice that a person agreed to.
pub(crate) const NOTICE: Text = TEXT.of(1, limits::NOTICE).example("2026-01");

/// The name of an account to create: the length of the column.
pub(crate) const NEW_USER_NAME: Text = TEXT.of(1, 50).example("bob");
/// The name of an account that is there or not.
pub(crate) const USER_NAME: Text = TEXT.of(1, COMPARED).example("admin");
/// A password to set: longer than any that a person types.
pub(crate) const NEW_PASSWORD: Text = TEXT.of(1, 1000).example("correct horse");
/// A password that is right or not.
pub(crate) const PASSWORD: Text = TEXT.of(1, COMPARED).example("correct horse");
/// A refresh token, which has some 100 characters.
pub(crate) const REFRESH_TOKEN: Text = TEXT.of(0, 1000);
