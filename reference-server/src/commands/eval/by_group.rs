//! `faceattend eval verify --by COLUMN`: the same errors for each group of people, and the worst against the best.

use clap::{Args, ValueEnum};
use faceattend_core::evaluation::Rate;
use faceattend_core::evaluation::comparison::thinned;
use faceattend_core::evaluation::groups::{Class, ClassPoint, Disparity, GroupedPair, Impostors};
use faceattend_core::evaluation::threshold::Proposal;
use serde_json::json;

use super::plot::{Axis, Plot, Series, Style};
use super::report::{RATE_COLUMNS, Report, Table, number, range, row};

/// What is asked of groups.
#[derive(Debug, Clone, Args)]
pub(super) struct ByGroupArgs {
    /// Reports each value of this column of the table of pictures by itself: `group`, `glasses`, `masked`
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
    /// Which pairs of two people count for a group: those within it, or every pair that one of its people is in
    #[arg(long, value_enum, default_value_t = ImpostorPairs::Within, requires = "by")]
    impostors: ImpostorPairs,
    /// The false match rate for which the threshold of each group is looked for
    #[arg(long, value_name = "RATE", default_value_t = 1e-3, value_parser = rate_in_range, requires = "by")]
    group_fmr: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ImpostorPairs {
    Within,
    Everybody,
}

fn rate_in_range(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate < 1.0 => Ok(rate),
        _ => Err("a rate between 0 and 1, such as 0.001".into()),
    }
}

/// What the table says of each picture, and whether a face was found in it.
pub(super) struct Labels<'a> {
    pub(super) people: &'a [usize],
    pub(super) groups: &'a [String],
    pub(super) seen: &'a [bool],
}

/// A class under its name.
struct Named {
    name: String,
    class: Class,
    point: ClassPoint,
}

impl ByGroupArgs {
    /// The column, in small letters as the table's names are read.
    pub(super) fn column(&self) -> Option<String> {
        self.by.as_deref().map(str::to_lowercase)
    }

    /// Adds the figures of the groups to a report about all of them. `scored` holds places of pictures.
    pub(super) fn extend(
        &self,
        report: &mut Report,
        labels: &Labels<'_>,
        scored: &[(usize, usize, bool, f32)],
        threshold: f32,
        cosine: &dyn Fn(f32) -> f32,
    ) {
        let mut names: Vec<&str> = labels.groups.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let group_of = |picture: usize| names.binary_search(&labels.groups[picture].as_str()).unwrap_or(0);
        let pairs: Vec<GroupedPair> = scored
            .iter()
            .map(|(a, b, _, score)| GroupedPair {
                people: [labels.people[*a], labels.people[*b]],
                groups: [group_of(*a), group_of(*b)],
                score: *score,
            })
            .collect();
        let impostors = match self.impostors {
            ImpostorPairs::Within => Impostors::Within,
            ImpostorPairs::Everybody => Impostors::Everybody,
        };
        let shown = |place: usize| if names[place].is_empty() { "(not said)" } else { names[place] };
        let named = |class: Class| {
            let [a, b] = class.groups();
            let name = if a == b { shown(a).to_owned() } else { format!("{} with {}", shown(a), shown(b)) };
            Named { name, point: class.at(threshold), class }
        };
        let classes: Vec<Named> = Class::of(&pairs, impostors).into_iter().map(named).collect();
        let everybody = Class::of_everybody(&pairs);
        let everybody = Named { name: "everybody".into(), point: everybody.at(threshold), class: everybody };

        let found: Vec<(String, Rate)> = (0..names.len())
            .map(|place| {
                let own = (0..labels.groups.len()).filter(|picture| group_of(*picture) == place);
                (shown(place).to_owned(), Rate::of(own.map(|picture| !labels.seen[picture])))
            })
            .collect();
        let disparities = [
            ("FMR", Disparity::of(&classes.iter().map(|c| c.point.fmr).collect::<Vec<_>>())),
            ("FNMR", Disparity::of(&classes.iter().map(|c| c.point.fnmr).collect::<Vec<_>>())),
        ];
        let column = &self.column().unwrap_or_default();
        report.facts.push(("groups", format!("{} values of `{column}`", names.len())));
        report.facts.push(("pairs of two people in a group", impostors_in_words(impostors).into()));
        report.tables.extend(rate_tables(column, &classes, &everybody, threshold, cosine));
        report.tables.push(worst_against_best(&classes, &disparities));
        report.tables.push(self.needs(&classes, &everybody, cosine));
        report.tables.push(not_found(&found));
        report.plots.extend(plots(&classes, threshold));
        report.notes.extend(NOTES.map(str::to_owned));
        report.figures["by"] = json!({
            "column": column,
            "impostors": impostors,
            "threshold": threshold,
            "group_fmr": self.group_fmr,
            "classes": classes.iter().chain([&everybody]).map(|c| self.figures(c)).collect::<Vec<_>>(),
            "no_face": found.iter().map(|(name, rate)| json!({"group": name, "rate": rate})).collect::<Vec<_>>(),
            "fmr_disparity": disparities[0].1,
            "fnmr_disparity": disparities[1].1,
        });
    }

    fn figures(&self, named: &Named) -> serde_json::Value {
        json!({
            "class": named.name,
            "people": named.class.people(),
            "genuine_pairs": named.class.scores().genuine().len(),
            "impostor_pairs": named.class.scores().impostor().len(),
            "at_threshold": named.point,
            "need": named.class.need(self.group_fmr),
        })
    }

    /// Which threshold each class would need.
    fn needs(&self, classes: &[Named], everybody: &Named, cosine: &dyn Fn(f32) -> f32) -> Table {
        let at = |similarity: f32| format!("{similarity:.4} ({:.4})", cosine(similarity));
        let rows = classes.iter().chain([everybody]).map(|named| {
            let need = named.class.need(self.group_fmr);
            let measured = need.threshold.map_or_else(|| "-".into(), at);
            let confident = match need.confident {
                Proposal::Supported { threshold, .. } => at(threshold),
                Proposal::Unsupported { needed, .. } => format!("needs {needed} pairs of two people"),
            };
            let count = format!("{} of {}", need.fmr.hits(), need.fmr.trials());
            let price = need.fnmr.value().map_or_else(|| "-".into(), number);
            vec![named.name.clone(), measured, count, price, confident]
        });
        Table {
            title: format!("Similarity (cosine) that each group needs for a false match rate of {}", self.group_fmr),
            columns: vec!["", "lowest, as measured", "false matches there", "FNMR there", "at 95% confidence"],
            rows: rows.collect(),
        }
    }
}

fn impostors_in_words(impostors: Impostors) -> &'static str {
    match impostors {
        Impostors::Within => "both people are of the group",
        Impostors::Everybody => "at least one of the two people is of the group",
    }
}

/// FMR and FNMR of each class.
fn rate_tables(
    column: &str,
    classes: &[Named],
    everybody: &Named,
    threshold: f32,
    cosine: &dyn Fn(f32) -> f32,
) -> [Table; 2] {
    let [a, b, c] = RATE_COLUMNS;
    let table = |what: &str, of: &dyn Fn(&Named) -> (Rate, String)| Table {
        title: format!("{what} by {column}, at similarity {threshold:.4} ({:.4})", cosine(threshold)),
        columns: vec!["", a, b, c, "95% by person", "people"],
        rows: classes
            .iter()
            .chain([everybody])
            .map(|named| {
                let (rate, by_person) = of(named);
                row(named.name.clone(), rate, [by_person, named.class.people().to_string()])
            })
            .collect(),
    };
    [
        table("FMR: two people taken for one,", &|n| (n.point.fmr, range(n.point.fmr_by_person))),
        table("FNMR: one person taken for two,", &|n| (n.point.fnmr, range(n.point.fnmr_by_person))),
    ]
}

fn worst_against_best(classes: &[Named], disparities: &[(&str, Option<Disparity>)]) -> Table {
    let name = |place: usize| classes.get(place).map(|c| c.name.clone()).unwrap_or_default();
    let times = |ratio: f64| if ratio < 10.0 { format!("{ratio:.2}") } else { format!("{ratio:.0}") };
    let rows = disparities.iter().map(|(rate, found)| match found {
        Some(found) => vec![
            (*rate).to_owned(),
            name(found.worst),
            name(found.best),
            found.ratio.map_or_else(|| "the best has no error".into(), times),
            times(found.ratio_at_least),
            found.over_geometric_mean.map_or_else(|| "-".into(), times),
        ],
        None => {
            vec![(*rate).to_owned(), "no error, or one group".into(), "-".into(), "-".into(), "-".into(), "-".into()]
        }
    });
    Table {
        title: "Worst group against best".into(),
        columns: vec!["", "worst", "best", "ratio", "at least (95%)", "worst over geometric mean"],
        rows: rows.collect(),
    }
}

fn not_found(found: &[(String, Rate)]) -> Table {
    let [a, b, c] = RATE_COLUMNS;
    Table {
        title: "Pictures in which no face was found".into(),
        columns: vec!["", a, b, c],
        rows: found.iter().map(|(name, rate)| row(name.clone(), *rate, [])).collect(),
    }
}

/// Both errors of each class along the threshold.
#[expect(clippy::cast_precision_loss, reason = "counts of pairs")]
fn plots(classes: &[Named], threshold: f32) -> [Plot; 2] {
    let most = |count: &dyn Fn(&Named) -> usize| classes.iter().map(count).max().unwrap_or(0).max(10) as f64;
    let series = |of: &dyn Fn(f32, Rate, Rate) -> Option<(f64, f64)>| -> Vec<Series> {
        let curve = |named: &Named| {
            let points = thinned(&named.class.scores().points(), 400);
            points.into_iter().filter_map(|p| of(p.threshold, p.fmr, p.fnmr)).collect()
        };
        classes.iter().map(|c| Series { name: c.name.clone(), style: Style::Line, points: curve(c) }).collect()
    };
    let marks = vec![(f64::from(threshold), format!("threshold {threshold}"))];
    let similarity = || Axis::linear("similarity", 0.0, 1.0);
    [
        Plot {
            title: "FMR by group along the threshold",
            x: similarity(),
            y: Axis::rates("false match rate", 1.0 / most(&|c| c.class.scores().impostor().len())),
            series: series(&|at, fmr, _| Some((f64::from(at), fmr.value()?))),
            marks: marks.clone(),
        },
        Plot {
            title: "FNMR by group along the threshold",
            x: similarity(),
            y: Axis::rates("false non-match rate", 1.0 / most(&|c| c.class.scores().genuine().len())),
            series: series(&|at, _, fnmr| Some((f64::from(at), fnmr.value()?))),
            marks,
        },
    ]
}

const NOTES: [&str; 4] = [
    "Groups: pairs of two people are compared within a group unless --impostors everybody was given. A row \"A with \
     B\" compares pictures of both kinds; there is one where somebody has pictures of both.",
    "Groups: intervals are Clopper-Pearson, and by person the bootstrap where a group has ten people or more. \
     Wilson's would be narrower, and near 0, where these rates lie, it covers less than it says. Below ten people \
     the rates are about these people, not about their group.",
    "Worst against best: the ratio of the highest rate to the lowest. Where the best has no error only its lower \
     bound is known, from the ends of both intervals; at 1 the sample shows no difference.",
    "The threshold that a group needs is chosen on the pairs it is measured on. Where a group has fewer pairs than \
     one over the rate it is the lowest without any false match, which a larger sample would raise.",
];
