/// Seconds written as a number (`1.5`) or, as audformat tables have them, as a duration (`0 days 00:00:01.5`).
/// Empty and `NaT` mean not given.
pub(super) fn parse(text: &str) -> Result<Option<f64>, ()> {
    let text = text.trim();
    if text.is_empty() || text == "NaT" {
        return Ok(None);
    }
    let (days, clock) = text.split_once(" days ").unwrap_or(("0", text));
    let mut seconds = days.parse::<f64>().map_err(drop)? * 24.0;
    let parts: Vec<&str> = clock.split(':').collect();
    match parts[..] {
        [alone] => seconds = seconds * 3600.0 + alone.parse::<f64>().map_err(drop)?,
        [hours, minutes, rest] => {
            seconds += hours.parse::<f64>().map_err(drop)?;
            seconds = seconds * 60.0 + minutes.parse::<f64>().map_err(drop)?;
            seconds = seconds * 60.0 + rest.parse::<f64>().map_err(drop)?;
        }
        _ => return Err(()),
    }
    if seconds.is_finite() && seconds >= 0.0 { Ok(Some(seconds)) } else { Err(()) }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn numbers_and_durations() {
        assert_eq!(parse("1.5"), Ok(Some(1.5)));
        assert_eq!(parse(" "), Ok(None));
        assert_eq!(parse("NaT"), Ok(None));
        assert_eq!(parse("0 days 00:01:02.25"), Ok(Some(62.25)));
        assert_eq!(parse("1 days 01:00:00"), Ok(Some(90_000.0)));
        for wrong in ["x", "-1", "NaN", "inf", "1:2", "0 days x"] {
            assert_eq!(parse(wrong), Err(()), "{wrong}");
        }
    }
}
