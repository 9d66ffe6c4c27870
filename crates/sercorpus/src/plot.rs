use plotters::prelude::*;

use crate::stats::{GroupStats, Stats};

/// Width and height of the figure, in pixels.
const SIZE: (u32, u32) = (900, 720);

type Drawing = Box<dyn std::error::Error>;

impl Stats {
    /// Draw utterances per label, per speaker and by duration as an SVG document.
    ///
    /// # Errors
    /// The drawing library's, as text; none is known for what is drawn here.
    pub fn to_svg(&self) -> Result<String, String> {
        let mut svg = String::new();
        self.draw(&mut svg).map_err(|error| error.to_string())?;
        Ok(svg)
    }

    fn draw(&self, svg: &mut String) -> Result<(), Drawing> {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let title =
            format!("{}: {} utterances, {:.1} min", self.corpus, self.total.utterances, self.total.seconds / 60.0);
        let panels = root.titled(&title, ("sans-serif", 20))?.split_evenly((3, 1));
        let [labels, speakers, durations] = &panels[..] else {
            return Ok(());
        };
        bars(labels, "label", &named(&self.labels))?;
        bars(speakers, "speaker", &named(&self.speakers))?;
        let bins: Vec<(String, usize)> = self
            .histogram
            .iter()
            .enumerate()
            .map(|(bin, &count)| (format!("{:.1}", bin as f64 * self.bin_seconds), count))
            .collect();
        bars(durations, "duration in seconds, from", &bins)?;
        root.present()?;
        Ok(())
    }
}

fn named(groups: &[GroupStats]) -> Vec<(String, usize)> {
    groups.iter().map(|group| (group.name.clone(), group.utterances)).collect()
}

fn bars<DB: DrawingBackend>(
    area: &DrawingArea<DB, plotters::coord::Shift>,
    what: &str,
    counts: &[(String, usize)],
) -> Result<(), Drawing>
where
    DB::ErrorType: 'static,
{
    if counts.is_empty() {
        return Ok(());
    }
    let highest = counts.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .x_label_area_size(34)
        .y_label_area_size(52)
        .build_cartesian_2d((0..counts.len() - 1).into_segmented(), 0..highest + highest.div_ceil(10))?;
    let name = |position: &SegmentValue<usize>| match position {
        SegmentValue::CenterOf(i) => counts.get(*i).map_or_else(String::new, |(name, _)| name.clone()),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(counts.len().min(30))
        .x_label_formatter(&name)
        .x_desc(what)
        .y_desc("utterances")
        .draw()?;
    // plotters' Histogram draws its bars in another order every time.
    chart.draw_series(counts.iter().enumerate().map(|(i, (_, count))| {
        let corners = [(SegmentValue::Exact(i), 0), (SegmentValue::Exact(i + 1), *count)];
        let mut bar = Rectangle::new(corners, BLUE.mix(0.6).filled());
        bar.set_margin(0, 0, 2, 2);
        bar
    }))?;
    Ok(())
}
