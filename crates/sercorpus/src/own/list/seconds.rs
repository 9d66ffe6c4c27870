/// Seconds written as a number (`1.5`, `1,5`) or, as audformat tables have them, as a duration (`0 days 00:00:01.5`, `0 days`,
/// `00:01.5`). Empty and `NaT` mean not given.
pub(super) fn parse(text: &str) -> Result<Option<f64>, ()> {
    let text = text.trim();
    if text.is_empty() || ["NaT", "nan", "None"].iter().any(|none| none.eq_ignore_ascii_case(text)) {
        return Ok(None);
    }
    let number = |text: &str| text.trim().replace(',', ".").parse::<f64>().map_err(drop);
    let (days, clock) = match text.split_once("day") {
        Some((days, rest)) => (number(days)?, rest.strip_prefix('s').unwrap_or(rest).trim_start_matches([',', ' '])),
        None => (0.0, text),
    };
    // 0 days, 01:02:03.5, 02:03.5, 3.5
    let mut of_day = 0.0;
    for part in clock.split(':').filter(|_| !clock.is_empty()) {
        of_day = of_day * 60.0 + number(part)?;
    }
    let seconds = days * 86_400.0 + of_day;
    let fits = clock.split(':').count() <= 3 && seconds.is_finite() && seconds >= 0.0 && of_day >= 0.0;
    if fits { Ok(Some(seconds)) } else { Err(()) }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn numbers_and_durations() {
        assert_eq!(parse("1.5"), Ok(Some(1.5)));
        assert_eq!(parse(" "), Ok(None));
        assert_eq!(parse("NaT"), Ok(None));
        assert_eq!(parse("NaN"), Ok(None));
        assert_eq!(parse("0 days 00:01:02.25"), Ok(Some(62.25)));
        assert_eq!(parse("1 days 01:00:00"), Ok(Some(90_000.0)));
        for (text, seconds) in [
            ("0 days", 0.0),
            ("0 days 00:00:00.400000", 0.4),
            ("1 day, 0:00:01", 86_401.0),
            ("01:02.5", 62.5),
            ("0,5", 0.5),
        ] {
            assert_eq!(parse(text), Ok(Some(seconds)), "{text}");
        }
        for wrong in ["x", "-1", "inf", "1:2:3:4", "0 days x", "days", ":"] {
            assert_eq!(parse(wrong), Err(()), "{wrong}");
        }
    }
}
