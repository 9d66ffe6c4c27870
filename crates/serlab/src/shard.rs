//! Parts of a run: which folds are this process'.
//!
//! The folds of all trainings are counted through and dealt out in turn, so a part depends on the plan and on I/N alone.

use std::{fmt, str::FromStr};

use crate::error::{LabError, Result};

/// What `--shard` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shard {
    /// I/N
    Number(Part),
    /// `auto/N`, or `auto`: what the job scheduler's variables say.
    Auto(Option<usize>),
}

/// The `index`-th of `of` parts, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Counted from 1.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

impl Part {
    /// Whether the `i`-th fold of all, counted from 0, is in this part.
    pub fn has(self, i: usize) -> bool {
        i % self.of == self.index - 1
    }

    fn new(index: usize, of: usize) -> std::result::Result<Self, String> {
        if (1..=of).contains(&index) {
            Ok(Self { index, of })
        } else {
            Err(format!("there is no part {index} of {of}: parts are counted from 1 to {of}"))
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = || format!("`{text}`: expected I/N (1/4 to 4/4), auto or auto/N");
        let number = |n: &str| n.parse::<usize>().ok().filter(|&n| n > 0).ok_or_else(wrong);
        match text.split_once('/') {
            None if text == "auto" => Ok(Self::Auto(None)),
            Some(("auto", n)) => Ok(Self::Auto(Some(number(n)?))),
            Some((i, n)) => Ok(Self::Number(Part::new(i.parse().map_err(|_| wrong())?, number(n)?)?)),
            None => Err(wrong()),
        }
    }
}

impl Shard {
    /// The part, with the scheduler's variables as `variable` gives them.
    ///
    /// Slurm's `SLURM_ARRAY_TASK_ID` is taken as I itself with `auto/N`, so that a failed task can be handed in again
    /// alone (`--array=7`); with `auto`, I and N are its place in the array and the array's size. Kubernetes'
    /// `JOB_COMPLETION_INDEX` counts from 0 and N is not told, so it wants `auto/N`.
    ///
    /// # Errors
    /// `auto` outside a job, or in one that does not fit N.
    pub fn part(self, variable: &dyn Fn(&str) -> Option<String>) -> Result<Part> {
        let of = match self {
            Self::Number(part) => return Ok(part),
            Self::Auto(of) => of,
        };
        let wrong = |why: String| LabError::Input(format!("--shard auto: {why}"));
        let number = |name: &str| {
            let value = variable(name)?;
            Some(value.parse::<usize>().map_err(|_| wrong(format!("{name}={value} is no number"))))
        };
        let kubernetes = number("JOB_COMPLETION_INDEX").transpose()?;
        match (number("SLURM_ARRAY_TASK_ID").transpose()?, kubernetes, of) {
            (Some(id), _, Some(of)) => {
                Part::new(id, of).map_err(|e| wrong(format!("SLURM_ARRAY_TASK_ID={id}: {e}; use --array=1-{of}")))
            }
            (Some(id), _, None) => {
                let of =
                    |name| number(name).unwrap_or_else(|| Err(wrong(format!("{name} is not set; say --shard auto/N"))));
                let (min, count, step) =
                    (of("SLURM_ARRAY_TASK_MIN")?, of("SLURM_ARRAY_TASK_COUNT")?, of("SLURM_ARRAY_TASK_STEP")?);
                let contiguous = of("SLURM_ARRAY_TASK_MAX")? == min + (count.max(1) - 1) * step;
                if !contiguous || step == 0 || id < min {
                    return Err(wrong("the array has gaps, so a task's part is not clear; say --shard auto/N".into()));
                }
                Part::new((id - min) / step + 1, count).map_err(wrong)
            }
            (None, Some(index), Some(of)) => Part::new(index + 1, of).map_err(wrong),
            (None, Some(_), None) => {
                Err(wrong("Kubernetes does not tell how many there are; say --shard auto/N".into()))
            }
            (None, None, _) => Err(wrong(
                "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set; say --shard I/N outside a job".into(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str, variables: &[(&str, &str)]) -> Result<String> {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        text.parse::<Shard>().map_err(LabError::Input)?.part(&variable).map(|p| p.to_string())
    }

    #[test]
    fn parts_are_numbers_or_the_schedulers() {
        let slurm = |id, min, max, count, step| {
            [
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_MAX", max),
                ("SLURM_ARRAY_TASK_COUNT", count),
                ("SLURM_ARRAY_TASK_STEP", step),
            ]
        };
        assert_eq!(part("3/10", &[]).unwrap(), "3/10");
        assert_eq!(part("auto", &slurm("0", "0", "9", "10", "1")).unwrap(), "1/10");
        assert_eq!(part("auto", &slurm("5", "1", "9", "5", "2")).unwrap(), "3/5");
        assert_eq!(part("auto/10", &slurm("7", "7", "7", "1", "1")).unwrap(), "7/10");
        assert_eq!(part("auto/4", &[("JOB_COMPLETION_INDEX", "0")]).unwrap(), "1/4");
        for (text, variables) in [
            ("0/3", &[][..]),
            ("4/3", &[]),
            ("1/0", &[]),
            ("half", &[]),
            ("auto", &[]),
            ("auto", &[("JOB_COMPLETION_INDEX", "0")]),
            ("auto/4", &[("JOB_COMPLETION_INDEX", "4")]),
            ("auto", &slurm("7", "3", "7", "2", "1")),
            ("auto/5", &slurm("7", "1", "9", "9", "1")),
        ] {
            assert_eq!(part(text, variables).unwrap_err().code(), 2, "{text} {variables:?}");
        }
    }

    #[test]
    fn every_fold_is_in_one_part() {
        for i in 0..23 {
            assert_eq!((1..=4).filter(|&index| Part { index, of: 4 }.has(i)).count(), 1);
        }
    }
}
