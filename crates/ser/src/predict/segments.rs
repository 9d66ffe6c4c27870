//! From windows that overlap to segments that do not, as label tracks and subtitles need.

use crate::answer::Answer;

/// A stretch of one text.
#[derive(Debug, PartialEq)]
pub struct Segment {
    /// In seconds.
    pub start: f64,
    /// In seconds.
    pub end: f64,
    /// None where nobody speaks.
    pub text: Option<String>,
}

/// Every moment belongs to the answer whose window has the nearest middle; neighbours of one text are one segment.
pub fn segments(answers: &[Answer], text: impl Fn(&Answer) -> Option<String>) -> Vec<Segment> {
    let middle = |a: &Answer| (a.start + a.end) / 2.0;
    let mut out: Vec<Segment> = Vec::new();
    for (i, answer) in answers.iter().enumerate() {
        let start = if i == 0 { answer.start } else { (middle(&answers[i - 1]) + middle(answer)) / 2.0 };
        let end = answers.get(i + 1).map_or(answer.end, |next| (middle(answer) + middle(next)) / 2.0);
        let text = text(answer);
        match out.last_mut() {
            Some(last) if last.text == text => last.end = end,
            _ => out.push(Segment { start, end, text }),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_tile_the_recording() {
        let at = |start: f64, end| Answer { start, end, verdict: None };
        let answers = [at(0.0, 3.0), at(0.5, 3.5), at(1.0, 4.0), at(1.2, 4.2)];
        let text = |a: &Answer| (a.start >= 1.0).then(|| "sad".to_owned());
        let found = segments(&answers, text);
        let expected = [
            Segment { start: 0.0, end: 2.25, text: None },
            Segment { start: 2.25, end: 4.2, text: Some("sad".into()) },
        ];
        assert_eq!(found, expected);
        assert!(segments(&[], text).is_empty());
    }
}
