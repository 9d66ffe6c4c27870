//! A report before it has a format: sections of text, tables and figures. Text is plain; each renderer escapes it.

use std::collections::BTreeSet;

use serde_json::Value;

use serrun::Mark;

use crate::svg::Svg;

/// A whole report.
#[derive(Debug)]
pub struct Document {
    pub title: String,
    /// What has to be said before anything else.
    pub warnings: Vec<String>,
    pub sections: Vec<Section>,
}

/// A numbered section.
#[derive(Debug)]
pub struct Section {
    /// In links: letters, digits and hyphens.
    pub id: &'static str,
    pub title: &'static str,
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Debug)]
pub enum Block {
    Heading(String),
    Text(String),
    List(Vec<String>),
    Code(String),
    /// Name and value.
    Facts(Vec<(String, String)>),
    Table(Table),
    Figures(Vec<Figure>),
}

/// A table, or a part of one, that is a file of its own as well.
#[derive(Debug)]
pub struct Table {
    /// Names the files.
    pub id: String,
    pub title: String,
    /// What the columns mean.
    pub note: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Entry>>,
}

/// A column of a table.
#[derive(Debug)]
pub struct Column {
    pub title: String,
    /// Right-aligned.
    pub number: bool,
}

/// An entry of a table.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    pub text: String,
    /// At full precision, for JSON.
    pub value: Option<Value>,
    pub marks: Vec<Mark>,
    /// What CSV, JSON and LaTeX say in full: the command of R1.
    pub long: Option<String>,
}

/// A figure, also a file of its own.
#[derive(Debug)]
pub struct Figure {
    /// Names the file.
    pub id: String,
    pub caption: String,
    pub marks: Vec<Mark>,
    pub svg: Svg,
}

impl Table {
    /// All marks that occur, in order.
    pub fn marks(&self) -> Vec<Mark> {
        Mark::sorted(self.rows.iter().flatten().flat_map(|e| e.marks.iter().copied()))
    }
}

/// Columns of text from titles; those that start with `#` hold numbers.
pub fn columns(titles: &[&str]) -> Vec<Column> {
    let column = |t: &&str| Column { title: t.trim_start_matches('#').to_owned(), number: t.starts_with('#') };
    titles.iter().map(column).collect()
}

impl Entry {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A number or several, printed as `text`, with what has to be said of it.
    pub fn number(text: impl Into<String>, value: impl Into<Value>, marks: &[Mark]) -> Self {
        Self { text: text.into(), value: Some(value.into()), marks: marks.to_vec(), long: None }
    }

    /// A share in percent.
    pub fn percent(share: f64, marks: &[Mark]) -> Self {
        Self::number(percent(share), 100.0 * share, marks)
    }

    /// A standard deviation in percent; `-` for a single value, which has none.
    pub fn std(share: Option<f64>, marks: &[Mark]) -> Self {
        share.map_or_else(Self::none, |s| Self::percent(s, marks))
    }

    /// Two shares in percent: UAR / WAR.
    pub fn pair([a, b]: [f64; 2], marks: &[Mark]) -> Self {
        Self::number(format!("{} / {}", percent(a), percent(b)), vec![100.0 * a, 100.0 * b], marks)
    }

    /// Runs, with the commands that made them in data files, as far as these are recorded.
    pub fn runs(names: impl Into<String>, commands: &[String]) -> Self {
        let recorded: Vec<&str> = commands.iter().map(String::as_str).filter(|c| !c.is_empty()).collect();
        Self { long: (!recorded.is_empty()).then(|| recorded.join("; ")), ..Self::text(names) }
    }

    /// Nothing to say.
    pub fn none() -> Self {
        Self::text("-")
    }
}

/// "optimistic, synthetic".
pub fn words(marks: &[Mark]) -> String {
    marks.iter().map(|m| m.word()).collect::<Vec<_>>().join(", ")
}

/// 19.00 for 0.19.
pub fn percent(share: f64) -> String {
    format!("{:.2}", positive_zero(100.0 * share, 2))
}

/// +1.20 for 0.012.
pub fn signed(share: f64) -> String {
    format!("{:+.2}", positive_zero(100.0 * share, 2))
}

/// 0 for what rounds to -0.
fn positive_zero(value: f64, digits: i32) -> f64 {
    if value.abs() < 0.5 * 10f64.powi(-digits) { 0.0 } else { value }
}

impl Document {
    /// All tables, in order.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.blocks().filter_map(|b| if let Block::Table(table) = b { Some(table) } else { None })
    }

    /// All figures, in order.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.blocks().filter_map(|b| if let Block::Figures(figures) = b { Some(figures) } else { None }).flatten()
    }

    fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.sections.iter().flat_map(|s| &s.blocks)
    }

    /// All marks that occur at a number or a figure, in order.
    pub fn marks(&self) -> Vec<Mark> {
        let figures = self.figures().flat_map(|f| f.marks.iter().copied());
        Mark::sorted(self.tables().flat_map(Table::marks).chain(figures))
    }

    /// No two tables or figures may become one file.
    pub fn make_ids_unique(&mut self) {
        let mut seen = BTreeSet::new();
        let mut rename = |id: &mut String| {
            let mut name = id.clone();
            for i in 2.. {
                if seen.insert(name.clone()) {
                    break;
                }
                name = format!("{id}-{i}");
            }
            *id = name;
        };
        for block in self.sections.iter_mut().flat_map(|s| &mut s.blocks) {
            match block {
                Block::Table(table) => rename(&mut table.id),
                Block::Figures(figures) => figures.iter_mut().for_each(|f| rename(&mut f.id)),
                _ => {}
            }
        }
    }
}
