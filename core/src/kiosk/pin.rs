//! The PIN of a supervisor.

use crate::error::{Error, Result};

/// The fewest digits of a PIN: with the waits after wrong ones, years of guessing.
pub const SHORTEST_PIN: usize = 6;
/// The most digits of a PIN.
pub const LONGEST_PIN: usize = 12;

/// Checks that `pin` may be a supervisor's: digits, and neither one digit again and again nor a row of them.
///
/// ```
/// use faceattend_core::kiosk::check_pin;
///
/// assert!(check_pin("493027").is_ok());
/// assert!(check_pin("123456").is_err() && check_pin("1234").is_err());
/// ```
///
/// # Errors
/// [`Error::InvalidInput`].
pub fn check_pin(pin: &str) -> Result<()> {
    let is_digits = pin.bytes().all(|digit| digit.is_ascii_digit());
    if !is_digits || !(SHORTEST_PIN..=LONGEST_PIN).contains(&pin.len()) {
        return Err(Error::invalid_input("PIN", format!("it needs {SHORTEST_PIN} to {LONGEST_PIN} digits")));
    }
    let steps: Vec<i16> = pin.as_bytes().windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
    if steps.iter().all(|step| *step == steps[0]) && (-1..=1).contains(&steps[0]) {
        return Err(Error::invalid_input("PIN", "everybody tries such a row of digits first"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_of_digits_that_are_no_row() {
        for good in ["493027", "112233", "135791", "987651", "000001"] {
            assert!(check_pin(good).is_ok(), "{good}");
        }
        for bad in ["", "12345", "49302a", "4930 27", "٤٩٣٠٢٧", "111111", "123456", "987654", "0123456789012"] {
            assert!(check_pin(bad).is_err(), "{bad}");
        }
    }
}
